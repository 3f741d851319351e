using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PersistCa.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class StatusAndBlockedKeys : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropPrimaryKey(
                name: "pk_crls",
                table: "crls");

            migrationBuilder.DropIndex(
                name: "ix_certificates_issuer_id_revoked_at",
                table: "certificates");

            migrationBuilder.AddColumn<int>(
                name: "shard",
                table: "crls",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "crl_shard",
                table: "certificates",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<bool>(
                name: "has_ocsp",
                table: "certificates",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "status_changed_at",
                table: "certificates",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddPrimaryKey(
                name: "pk_crls",
                table: "crls",
                columns: new[] { "issuer_id", "shard", "number" });

            migrationBuilder.CreateTable(
                name: "blocked_keys",
                columns: table => new
                {
                    fingerprint = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    blocked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    proven = table.Column<bool>(type: "boolean", nullable: false),
                    serial = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_blocked_keys", x => x.fingerprint);
                });

            migrationBuilder.CreateTable(
                name: "crl_points",
                columns: table => new
                {
                    issuer_id = table.Column<string>(type: "character varying(32)", nullable: false),
                    shard = table.Column<int>(type: "integer", nullable: false),
                    url = table.Column<string>(type: "character varying(1024)", maxLength: 1024, nullable: false),
                    added_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_crl_points", x => new { x.issuer_id, x.shard, x.url });
                    table.ForeignKey(
                        name: "fk_crl_points_issuers_issuer_id",
                        column: x => x.issuer_id,
                        principalTable: "issuers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "ocsp_answers",
                columns: table => new
                {
                    serial = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false),
                    hash = table.Column<int>(type: "integer", nullable: false),
                    issuer_id = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    der = table.Column<byte[]>(type: "bytea", nullable: false),
                    this_update = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    next_update = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    refresh_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ocsp_answers", x => new { x.serial, x.hash });
                });

            migrationBuilder.CreateTable(
                name: "ocsp_signers",
                columns: table => new
                {
                    issuer_id = table.Column<string>(type: "character varying(32)", nullable: false),
                    generation = table.Column<int>(type: "integer", nullable: false),
                    certificate_der = table.Column<byte[]>(type: "bytea", nullable: false),
                    key_fingerprint = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    sealed_key = table.Column<byte[]>(type: "bytea", nullable: false),
                    not_after = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ocsp_signers", x => new { x.issuer_id, x.generation });
                    table.ForeignKey(
                        name: "fk_ocsp_signers_issuers_issuer_id",
                        column: x => x.issuer_id,
                        principalTable: "issuers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.Sql("UPDATE certificates SET status_changed_at = revoked_at WHERE revoked_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_certificates_issuer_id_crl_shard_status_changed_at",
                table: "certificates",
                columns: new[] { "issuer_id", "crl_shard", "status_changed_at" });

            migrationBuilder.CreateIndex(
                name: "ix_ocsp_answers_issuer_id_refresh_at",
                table: "ocsp_answers",
                columns: new[] { "issuer_id", "refresh_at" });

            migrationBuilder.CreateIndex(
                name: "ix_ocsp_signers_key_fingerprint",
                table: "ocsp_signers",
                column: "key_fingerprint",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "blocked_keys");

            migrationBuilder.DropTable(
                name: "crl_points");

            migrationBuilder.DropTable(
                name: "ocsp_answers");

            migrationBuilder.DropTable(
                name: "ocsp_signers");

            migrationBuilder.DropPrimaryKey(
                name: "pk_crls",
                table: "crls");

            migrationBuilder.DropIndex(
                name: "ix_certificates_issuer_id_crl_shard_status_changed_at",
                table: "certificates");

            migrationBuilder.DropColumn(
                name: "shard",
                table: "crls");

            migrationBuilder.DropColumn(
                name: "crl_shard",
                table: "certificates");

            migrationBuilder.DropColumn(
                name: "has_ocsp",
                table: "certificates");

            migrationBuilder.DropColumn(
                name: "status_changed_at",
                table: "certificates");

            migrationBuilder.AddPrimaryKey(
                name: "pk_crls",
                table: "crls",
                columns: new[] { "issuer_id", "number" });

            migrationBuilder.CreateIndex(
                name: "ix_certificates_issuer_id_revoked_at",
                table: "certificates",
                columns: new[] { "issuer_id", "revoked_at" });
        }
    }
}
