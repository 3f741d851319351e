using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PersistCa.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class PreAuthorizationsAndLimits : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "just_in_time",
                table: "validation_records",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "record_at",
                table: "challenges",
                type: "character varying(253)",
                maxLength: 253,
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "caa_fresh_until",
                table: "authorizations",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_pre_authorization",
                table: "authorizations",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<bool>(
                name: "subdomains_allowed",
                table: "authorizations",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "proved_by_record_at",
                table: "accounts",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "limit_buckets",
                columns: table => new
                {
                    key = table.Column<string>(type: "character varying(400)", maxLength: 400, nullable: false),
                    full_at = table.Column<long>(type: "bigint", nullable: false)
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
                name: "ix_authorizations_account_id_status_expires_at",
                table: "authorizations",
                columns: new[] { "account_id", "status", "expires_at" });

            migrationBuilder.CreateIndex(
                name: "ix_limit_buckets_full_at",
                table: "limit_buckets",
                column: "full_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "limit_buckets");

            migrationBuilder.DropIndex(
                name: "ix_orders_expires_at",
                table: "orders");

            migrationBuilder.DropIndex(
                name: "ix_authorizations_account_id_status_expires_at",
                table: "authorizations");

            migrationBuilder.DropColumn(
                name: "just_in_time",
                table: "validation_records");

            migrationBuilder.DropColumn(
                name: "record_at",
                table: "challenges");

            migrationBuilder.DropColumn(
                name: "caa_fresh_until",
                table: "authorizations");

            migrationBuilder.DropColumn(
                name: "is_pre_authorization",
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
