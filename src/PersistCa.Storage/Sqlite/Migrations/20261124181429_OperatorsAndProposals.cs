using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PersistCa.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class OperatorsAndProposals : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "operator_tokens",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    public_id = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    role = table.Column<int>(type: "INTEGER", nullable: false),
                    secret_hash = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false),
                    revoked_at = table.Column<long>(type: "INTEGER", nullable: true),
                    last_used_on = table.Column<DateOnly>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operator_tokens", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "revocation_proposals",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    public_id = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    criterion = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    reason = table.Column<int>(type: "INTEGER", nullable: true),
                    comment = table.Column<string>(type: "TEXT", maxLength: 500, nullable: false),
                    proposer = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false),
                    matched = table.Column<int>(type: "INTEGER", nullable: false),
                    matched_sha256 = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    alone_up_to = table.Column<int>(type: "INTEGER", nullable: false),
                    approver = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    approved_at = table.Column<long>(type: "INTEGER", nullable: true),
                    started_at = table.Column<long>(type: "INTEGER", nullable: true),
                    progress_at = table.Column<long>(type: "INTEGER", nullable: true),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true),
                    revoked = table.Column<int>(type: "INTEGER", nullable: false),
                    revoked_since = table.Column<int>(type: "INTEGER", nullable: false),
                    gone = table.Column<int>(type: "INTEGER", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_revocation_proposals", x => x.id);
                    table.CheckConstraint("ck_revocation_proposals_approved", "(approver IS NULL) = (approved_at IS NULL)");
                    table.CheckConstraint("ck_revocation_proposals_approver", "approver IS NULL OR lower(approver) <> lower(proposer)");
                    table.CheckConstraint("ck_revocation_proposals_finished", "finished_at IS NULL OR started_at IS NOT NULL");
                    table.CheckConstraint("ck_revocation_proposals_in_time", "approved_at IS NULL OR approved_at < expires_at");
                    table.CheckConstraint("ck_revocation_proposals_started", "started_at IS NULL OR approver IS NOT NULL OR matched <= alone_up_to");
                });

            migrationBuilder.CreateTable(
                name: "revocation_items",
                columns: table => new
                {
                    proposal_id = table.Column<long>(type: "INTEGER", nullable: false),
                    serial = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    done_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_revocation_items", x => new { x.proposal_id, x.serial });
                    table.ForeignKey(
                        name: "fk_revocation_items_revocation_proposals_proposal_id",
                        column: x => x.proposal_id,
                        principalTable: "revocation_proposals",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_operator_tokens_public_id",
                table: "operator_tokens",
                column: "public_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_operator_tokens_secret_hash",
                table: "operator_tokens",
                column: "secret_hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_revocation_items_proposal_id_serial",
                table: "revocation_items",
                columns: new[] { "proposal_id", "serial" },
                filter: "done_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_revocation_proposals_progress_at",
                table: "revocation_proposals",
                column: "progress_at",
                filter: "started_at IS NOT NULL AND finished_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_revocation_proposals_public_id",
                table: "revocation_proposals",
                column: "public_id",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "operator_tokens");

            migrationBuilder.DropTable(
                name: "revocation_items");

            migrationBuilder.DropTable(
                name: "revocation_proposals");
        }
    }
}
