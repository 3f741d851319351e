using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace PersistCa.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class OperatorDoors : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "made_by",
                table: "operator_tokens",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<List<string>>(
                name: "scopes",
                table: "operator_tokens",
                type: "text[]",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "sha256",
                table: "certificates",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "restrictions",
                table: "accounts",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "suspended_at",
                table: "accounts",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "certificate_names",
                columns: table => new
                {
                    certificate_id = table.Column<long>(type: "bigint", nullable: false),
                    name = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false),
                    reversed = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_certificate_names", x => new { x.certificate_id, x.name });
                    table.ForeignKey(
                        name: "fk_certificate_names_certificates_certificate_id",
                        column: x => x.certificate_id,
                        principalTable: "certificates",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "operator_proposals",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    public_id = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    kind = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    subject = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: false),
                    payload = table.Column<string>(type: "text", nullable: false),
                    sha256 = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    comment = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: false),
                    proposer = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    alone = table.Column<bool>(type: "boolean", nullable: false),
                    approver = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true),
                    approved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    withdrawn_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    done_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    version = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operator_proposals", x => x.id);
                    table.CheckConstraint("ck_operator_proposals_approved", "(approver IS NULL) = (approved_at IS NULL)");
                    table.CheckConstraint("ck_operator_proposals_approver", "approver IS NULL OR lower(approver) <> lower(proposer)");
                    table.CheckConstraint("ck_operator_proposals_done", "done_at IS NULL OR approver IS NOT NULL OR alone");
                    table.CheckConstraint("ck_operator_proposals_in_time", "approved_at IS NULL OR approved_at < expires_at");
                    table.CheckConstraint("ck_operator_proposals_withdrawn", "withdrawn_at IS NULL OR (approver IS NULL AND done_at IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "runtime_switches",
                columns: table => new
                {
                    kind = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    off_since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_runtime_switches", x => new { x.kind, x.name });
                });

            migrationBuilder.CreateIndex(
                name: "ix_certificates_not_after",
                table: "certificates",
                column: "not_after");

            migrationBuilder.CreateIndex(
                name: "ix_certificates_sha256",
                table: "certificates",
                column: "sha256");

            migrationBuilder.CreateIndex(
                name: "ix_authorizations_name_id",
                table: "authorizations",
                columns: new[] { "name", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_actor_id",
                table: "audit_entries",
                columns: new[] { "actor", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_at",
                table: "audit_entries",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_kind_id",
                table: "audit_entries",
                columns: new[] { "kind", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_accounts_created_at",
                table: "accounts",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "ix_certificate_names_name",
                table: "certificate_names",
                column: "name");

            migrationBuilder.CreateIndex(
                name: "ix_certificate_names_reversed",
                table: "certificate_names",
                column: "reversed");

            migrationBuilder.CreateIndex(
                name: "ix_operator_proposals_public_id",
                table: "operator_proposals",
                column: "public_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_operator_proposals_subject",
                table: "operator_proposals",
                column: "subject");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "certificate_names");

            migrationBuilder.DropTable(
                name: "operator_proposals");

            migrationBuilder.DropTable(
                name: "runtime_switches");

            migrationBuilder.DropIndex(
                name: "ix_certificates_not_after",
                table: "certificates");

            migrationBuilder.DropIndex(
                name: "ix_certificates_sha256",
                table: "certificates");

            migrationBuilder.DropIndex(
                name: "ix_authorizations_name_id",
                table: "authorizations");

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_actor_id",
                table: "audit_entries");

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_at",
                table: "audit_entries");

            migrationBuilder.DropIndex(
                name: "ix_audit_entries_kind_id",
                table: "audit_entries");

            migrationBuilder.DropIndex(
                name: "ix_accounts_created_at",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "made_by",
                table: "operator_tokens");

            migrationBuilder.DropColumn(
                name: "scopes",
                table: "operator_tokens");

            migrationBuilder.DropColumn(
                name: "sha256",
                table: "certificates");

            migrationBuilder.DropColumn(
                name: "restrictions",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "suspended_at",
                table: "accounts");
        }
    }
}
