using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PersistCa.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class ValidationAuthority : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "account_id",
                table: "work_items",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "domain",
                table: "work_items",
                type: "TEXT",
                maxLength: 255,
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<bool>(
                name: "just_in_time",
                table: "validation_records",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "record_at",
                table: "challenges",
                type: "TEXT",
                maxLength: 253,
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_pre_authorization",
                table: "authorizations",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "rules",
                table: "authorizations",
                type: "TEXT",
                maxLength: 32,
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "subdomains_allowed",
                table: "authorizations",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "proved_by_record_at",
                table: "accounts",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "caa_checks",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    authorization_id = table.Column<long>(type: "INTEGER", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    checked_at = table.Column<long>(type: "INTEGER", nullable: false),
                    fresh_until = table.Column<long>(type: "INTEGER", nullable: true),
                    outcome = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    evidence = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_caa_checks", x => x.id);
                    table.ForeignKey(
                        name: "fk_caa_checks_authorizations_authorization_id",
                        column: x => x.authorization_id,
                        principalTable: "authorizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "limit_buckets",
                columns: table => new
                {
                    key = table.Column<string>(type: "TEXT", maxLength: 400, nullable: false),
                    full_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_limit_buckets", x => x.key);
                });

            migrationBuilder.CreateIndex(
                name: "ix_orders_expires_at",
                table: "orders",
                column: "expires_at",
                filter: "finalized_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_certificates_key_fingerprint",
                table: "certificates",
                column: "key_fingerprint");

            migrationBuilder.CreateIndex(
                name: "ix_authorizations_account_id_status_expires_at",
                table: "authorizations",
                columns: new[] { "account_id", "status", "expires_at" });

            migrationBuilder.CreateIndex(
                name: "ix_caa_checks_authorization_id",
                table: "caa_checks",
                column: "authorization_id");

            migrationBuilder.CreateIndex(
                name: "ix_limit_buckets_full_at",
                table: "limit_buckets",
                column: "full_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "caa_checks");

            migrationBuilder.DropTable(
                name: "limit_buckets");

            migrationBuilder.DropIndex(
                name: "ix_orders_expires_at",
                table: "orders");

            migrationBuilder.DropIndex(
                name: "ix_certificates_key_fingerprint",
                table: "certificates");

            migrationBuilder.DropIndex(
                name: "ix_authorizations_account_id_status_expires_at",
                table: "authorizations");

            migrationBuilder.DropColumn(
                name: "account_id",
                table: "work_items");

            migrationBuilder.DropColumn(
                name: "domain",
                table: "work_items");

            migrationBuilder.DropColumn(
                name: "just_in_time",
                table: "validation_records");

            migrationBuilder.DropColumn(
                name: "record_at",
                table: "challenges");

            migrationBuilder.DropColumn(
                name: "is_pre_authorization",
                table: "authorizations");

            migrationBuilder.DropColumn(
                name: "rules",
                table: "authorizations");

            migrationBuilder.DropColumn(
                name: "subdomains_allowed",
                table: "authorizations");

            migrationBuilder.DropColumn(
                name: "proved_by_record_at",
                table: "accounts");
        }
    }
}
