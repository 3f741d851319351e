using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace PersistCa.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class ExternalAccountsAndDecisions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "explanation_url",
                table: "revocation_proposals",
                type: "character varying(1024)",
                maxLength: 1024,
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "planned_for",
                table: "revocation_proposals",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "replaces",
                table: "orders",
                type: "character varying(116)",
                maxLength: 116,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "replaced_by",
                table: "certificates",
                type: "character varying(32)",
                maxLength: 32,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "external_binding",
                table: "accounts",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "external_key_id",
                table: "accounts",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "external_account_keys",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    public_id = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    sealed_secret = table.Column<byte[]>(type: "bytea", nullable: false),
                    single_use = table.Column<bool>(type: "boolean", nullable: false),
                    names = table.Column<List<string>>(type: "text[]", nullable: false),
                    profiles = table.Column<List<string>>(type: "text[]", nullable: false),
                    challenges = table.Column<List<string>>(type: "text[]", nullable: false),
                    max_accounts = table.Column<int>(type: "integer", nullable: false),
                    max_names = table.Column<int>(type: "integer", nullable: false),
                    certificates = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    owner = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    team = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    system = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    criticality = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    created_by = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    removed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    stops = table.Column<int>(type: "integer", nullable: false),
                    bound = table.Column<int>(type: "integer", nullable: false),
                    last_bound_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    version = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_external_account_keys", x => x.id);
                    table.CheckConstraint("ck_external_account_keys_bound", "(bound = 0) = (last_bound_at IS NULL)");
                    table.CheckConstraint("ck_external_account_keys_single_use", "NOT single_use OR bound <= 1");
                });

            migrationBuilder.CreateTable(
                name: "policy_decisions",
                columns: table => new
                {
                    certificate_id = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    decided_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    json = table.Column<string>(type: "character varying(65536)", maxLength: 65536, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_policy_decisions", x => x.certificate_id);
                    table.ForeignKey(
                        name: "fk_policy_decisions_certificates_certificate_id",
                        column: x => x.certificate_id,
                        principalTable: "certificates",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_revocation_proposals_planned_for",
                table: "revocation_proposals",
                column: "planned_for",
                filter: "planned_for IS NOT NULL AND finished_at IS NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_revocation_proposals_planned",
                table: "revocation_proposals",
                sql: "started_at IS NULL OR planned_for IS NULL OR started_at >= planned_for");

            migrationBuilder.CreateIndex(
                name: "ix_revocation_items_serial",
                table: "revocation_items",
                column: "serial");

            migrationBuilder.CreateIndex(
                name: "ix_accounts_external_key_id_status",
                table: "accounts",
                columns: new[] { "external_key_id", "status" },
                filter: "external_key_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_external_account_keys_public_id",
                table: "external_account_keys",
                column: "public_id",
                unique: true);

            migrationBuilder.AddForeignKey(
                name: "fk_accounts_external_account_keys_external_key_id",
                table: "accounts",
                column: "external_key_id",
                principalTable: "external_account_keys",
                principalColumn: "id",
                onDelete: ReferentialAction.Restrict);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_accounts_external_account_keys_external_key_id",
                table: "accounts");

            migrationBuilder.DropTable(
                name: "external_account_keys");

            migrationBuilder.DropTable(
                name: "policy_decisions");

            migrationBuilder.DropIndex(
                name: "ix_revocation_proposals_planned_for",
                table: "revocation_proposals");

            migrationBuilder.DropCheckConstraint(
                name: "ck_revocation_proposals_planned",
                table: "revocation_proposals");

            migrationBuilder.DropIndex(
                name: "ix_revocation_items_serial",
                table: "revocation_items");

            migrationBuilder.DropIndex(
                name: "ix_accounts_external_key_id_status",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "explanation_url",
                table: "revocation_proposals");

            migrationBuilder.DropColumn(
                name: "planned_for",
                table: "revocation_proposals");

            migrationBuilder.DropColumn(
                name: "replaces",
                table: "orders");

            migrationBuilder.DropColumn(
                name: "replaced_by",
                table: "certificates");

            migrationBuilder.DropColumn(
                name: "external_binding",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "external_key_id",
                table: "accounts");
        }
    }
}
