using System.Text;
using System.Text.Json;
using PersistCa.Protocol;
using PersistCa.Protocol.Identifiers;
using PersistCa.Server.Registration;
using PersistCa.Storage;

namespace PersistCa.Server.Admin;

/// <summary>Certificates: searched, shown, exported.</summary>
internal static class CertificateDoors
{
    private const string Ndjson = "application/x-ndjson";
    private const string PemChain = "application/pem-certificate-chain";
    private const string Pkix = "application/pkix-cert";

    private static readonly QueryParameter<string> Under = new(
        "under",
        "A name that one of its names lies under, however deep.",
        new() { ["type"] = "string", ["maxLength"] = 253 },
        text => DnsName.Parse(text) is { IsValid: true } name ? Parsed<string>.Ok(name.Value.Text) : Parsed<string>.Refused(DnsName.Parse(text).Reason!));

    private static readonly QueryParameter<string> Fingerprint = QueryParameters.Digest("fingerprint", "SHA-256 of the certificate, in hexadecimal.");
    private static readonly QueryParameter<string> Key = QueryParameters.Digest("key", "SHA-256 of its SubjectPublicKeyInfo, in hexadecimal.");
    private static readonly QueryParameter<string> Issuer = QueryParameters.Text("issuer", "Id of the issuer.", 32);
    private static readonly QueryParameter<string> Profile = QueryParameters.Text("profile", "Name of the profile.", 64);
    private static readonly QueryParameter<string> Status = QueryParameters.Word("status", "Only those of a state.", "valid", "expired", "revoked", "intended", "abandoned");
    private static readonly QueryParameter<DateTimeOffset> ExpiresFrom = QueryParameters.Time("expiresFrom", "Ends at or after this.");
    private static readonly QueryParameter<DateTimeOffset> ExpiresUntil = QueryParameters.Time("expiresUntil", "Ends before this.");
    private static readonly QueryParameter<string> Form = QueryParameters.Word("format", "pem for the certificate, chain for it and those above it, der.", "pem", "chain", "der");
    private static readonly QueryParameter<string> ManyForm = QueryParameters.Word("format", "ndjson: a line of JSON for each, with its PEM; pem.", "ndjson", "pem");
    private static readonly QueryParameter[] Filters = [OrderDoors.Name, Under, Fingerprint, Key, OrderDoors.Account, Issuer, Profile, Status, ExpiresFrom, ExpiresUntil];

    /// <summary>The rows.</summary>
    public static IReadOnlyList<AdminDoor> All { get; } =
    [
        new("GET", "certificates", "listCertificates", "certificates:read", DoorRoles.All, ListAsync)
        {
            Summary = "Certificates.",
            Query = [.. Filters, .. Paging.Both],
            Answer = typeof(ListResource<CertificateResource>),
        },
        new("GET", "certificates/export", "exportCertificates", "certificates:read", DoorRoles.All, ExportManyAsync)
        {
            Summary = "Many certificates, at most Operators:MaxExport.",
            Query = [ManyForm, .. Filters],
            Media = [Ndjson, "application/x-pem-file"],
            Faults = [DoorFault.Conflict],
        },
        new("GET", "certificates/{serial}", "showCertificate", "certificates:read", DoorRoles.All, FindAsync)
        {
            Summary = "A certificate with everything, by its serial number.",
            Answer = typeof(CertificateResource),
            Faults = [DoorFault.NotFound],
        },
        new("GET", "certificates/{serial}/export", "exportCertificate", "certificates:read", DoorRoles.All, ExportAsync)
        {
            Summary = "A certificate as a file.",
            Query = [Form],
            Media = [PemChain, Pkix],
            Faults = [DoorFault.NotFound],
        },
    ];

    private static DateTimeOffset Now(AdminCall call) => call.Get<CaStore>().Now;

    private static CertificateFilter Filter(AdminCall call) => new()
    {
        Name = call.Query.Text(OrderDoors.Name),
        Under = call.Query.Text(Under),
        Fingerprint = call.Query.Text(Fingerprint),
        Key = call.Query.Text(Key),
        Account = call.Query.Text(OrderDoors.Account),
        Issuer = call.Query.Text(Issuer),
        Profile = call.Query.Text(Profile),
        Status = call.Query.Text(Status),
        ExpiresFrom = call.Query.Value(ExpiresFrom),
        ExpiresUntil = call.Query.Value(ExpiresUntil),
    };

    private static async Task<IResult> ListAsync(AdminCall call, CancellationToken cancel) =>
        call.Page(await call.Get<CertificateSearch>().ListAsync(call.Who, Filter(call), call.Query.Page, cancel), c => CertificateResource.Of(c, Now(call), whole: false));

    private static async Task<IResult> FindAsync(AdminCall call, CancellationToken cancel) =>
        call.Json(await call.Get<CertificateSearch>().FindAsync(call.Who, call.Part("serial"), cancel), c => CertificateResource.Of(c, Now(call), whole: true));

    private static async Task<IResult> ExportAsync(AdminCall call, CancellationToken cancel)
    {
        var search = call.Get<CertificateSearch>();
        var form = call.Query.Text(Form) ?? "pem";
        if (form == "chain")
        {
            return (await search.ChainsAsync(call.Who, call.Part("serial"), cancel)).TryGet(out var chains, out var missing) ? Results.Text(chains.Chains[0], PemChain) : call.Refuse(missing);
        }

        if (!(await search.FindAsync(call.Who, call.Part("serial"), cancel)).TryGet(out var found, out var problem))
        {
            return call.Refuse(problem);
        }

        return found.Certificate.Der is not { } der ? call.Refuse(Refusals.NoSuchResource("certificate"))
            : form == "der" ? Results.Bytes(der, Pkix)
            : Results.Text(CertificateResource.Of(found, Now(call), whole: true).Pem!, PemChain);
    }

    private static async Task<IResult> ExportManyAsync(AdminCall call, CancellationToken cancel)
    {
        var search = call.Get<CertificateSearch>();
        var filter = Filter(call);
        if (await search.RefuseExportAsync(call.Who, filter, cancel) is { } tooMany)
        {
            return call.Refuse(tooMany);
        }

        var lines = call.Query.Text(ManyForm) != "pem";
        return Results.Stream(
            async stream =>
            {
                await foreach (var view in search.ExportAsync(call.Who, filter, cancel))
                {
                    var certificate = CertificateResource.Of(view, Now(call), whole: true);
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(lines ? JsonSerializer.Serialize(certificate, AdminJson.Wire.CertificateResource) + "\n" : certificate.Pem!), cancel);
                }
            },
            lines ? Ndjson : "application/x-pem-file");
    }
}
