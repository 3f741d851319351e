using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PersistCa.Storage.Sqlite.Migrations
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
                type: "TEXT",
                maxLength: 1024,
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "planned_for",
                table: "revocation_proposals",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "replaces",
                table: "orders",
                type: "TEXT",
                maxLength: 116,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "replaced_by",
                table: "certificates",
                type: "TEXT",
                maxLength: 32,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "external_binding",
                table: "accounts",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "external_key_id",
                table: "accounts",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "external_account_keys",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    public_id = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    sealed_secret = table.Column<byte[]>(type: "BLOB", nullable: false),
                    single_use = table.Column<bool>(type: "INTEGER", nullable: false),
                    names = table.Column<string>(type: "TEXT", nullable: false),
                    profiles = table.Column<string>(type: "TEXT", nullable: false),
                    challenges = table.Column<string>(type: "TEXT", nullable: false),
                    max_accounts = table.Column<int>(type: "INTEGER", nullable: false),
                    max_names = table.Column<int>(type: "INTEGER", nullable: false),
                    certificates = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    owner = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    team = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    system = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    criticality = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    created_by = table.Column<string>(type: "TEXT", maxLength: 128, nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: true),
                    removed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    stops = table.Column<int>(type: "INTEGER", nullable: false),
                    bound = table.Column<int>(type: "INTEGER", nullable: false),
                    last_bound_at = table.Column<long>(type: "INTEGER", nullable: true),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
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
                    certificate_id = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false),
                    decided_at = table.Column<long>(type: "INTEGER", nullable: false),
                    json = table.Column<string>(type: "TEXT", maxLength: 65536, nullable: false)
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
