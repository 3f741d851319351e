using PersistCa.Protocol.Acme;
using PersistCa.Protocol.Authorizations;
using PersistCa.Protocol.Identifiers;

namespace PersistCa.Protocol.Orders;

/// <summary>Order states (RFC 8555 section 7.1.6). None is stored: each follows from facts.</summary>
public enum OrderStatus
{
    /// <summary>An authorization is missing.</summary>
    Pending = 1,

    /// <summary>Every authorization is valid.</summary>
    Ready = 2,

    /// <summary>Finalized, the certificate is being made.</summary>
    Processing = 3,

    /// <summary>The certificate is there.</summary>
    Valid = 4,

    /// <summary>Nothing will come of it.</summary>
    Invalid = 5,
}

/// <summary>A request for one certificate (RFC 8555 section 7.1.3). Holds facts; <see cref="StatusAt"/> derives the state.</summary>
public sealed class Order
{
    private Order()
    {
        PublicId = "";
        Names = [];
    }

    /// <summary>Opens an order.</summary>
    /// <param name="publicId">Random id.</param>
    /// <param name="accountId">Internal id of the account.</param>
    /// <param name="names">Identifiers as <c>Identifier.Text</c>: "x", "*.x" or an address, without repeats.</param>
    /// <param name="notBefore">Start of validity that the client asked for, null for the authority's choice.</param>
    /// <param name="notAfter">End of validity that the client asked for, null for the authority's choice.</param>
    /// <param name="traceParent">W3C trace context in which the order began, so that validation and issuance join its trace.</param>
    /// <param name="now">The time.</param>
    /// <param name="expiresAt">When the order lapses unless it was finalized.</param>
    /// <param name="profile">Name of the certificate profile (draft-ietf-acme-profiles section 4); null for the default of the day.</param>
    /// <param name="replaces">The certificate that it takes the place of (RFC 9773 section 5), as the client named it; null for none.</param>
    public Order(
        string publicId,
        long accountId,
        IReadOnlyList<string> names,
        DateTimeOffset? notBefore,
        DateTimeOffset? notAfter,
        string? traceParent,
        DateTimeOffset now,
        DateTimeOffset expiresAt,
        string? profile = null,
        string? replaces = null)
    {
        PublicId = publicId;
        AccountId = accountId;
        Names = [.. names];
        NotBefore = notBefore;
        NotAfter = notAfter;
        TraceParent = traceParent;
        CreatedAt = now;
        ExpiresAt = expiresAt;
        Profile = profile;
        Replaces = replaces;
    }

    /// <summary>An order as a store kept it.</summary>
    public static Order Restore(
        long id,
        string publicId,
        long accountId,
        List<string> names,
        DateTimeOffset? notBefore,
        DateTimeOffset? notAfter,
        string? profile,
        string? replaces,
        string? traceParent,
        DateTimeOffset createdAt,
        DateTimeOffset expiresAt,
        DateTimeOffset? finalizedAt,
        byte[]? csr,
        string? certificateId,
        AcmeProblem? error,
        int version) => new()
        {
            Id = id,
            PublicId = publicId,
            AccountId = accountId,
            Names = names,
            NotBefore = notBefore,
            NotAfter = notAfter,
            Profile = profile,
            Replaces = replaces,
            TraceParent = traceParent,
            CreatedAt = createdAt,
            ExpiresAt = expiresAt,
            FinalizedAt = finalizedAt,
            Csr = csr,
            CertificateId = certificateId,
            Error = error,
            Version = version,
        };

    /// <summary>A store has kept it under this id and in this version.</summary>
    public void Kept(long id, int version) => (Id, Version) = (id, version);

    /// <summary>Internal id.</summary>
    public long Id { get; private set; }

    /// <summary>Last segment of the order URL.</summary>
    public string PublicId { get; private set; }

    /// <summary>Internal id of the account.</summary>
    public long AccountId { get; private set; }

    /// <summary>Identifiers as <c>Identifier.Text</c>; their kinds are told by <c>Identifier.Of</c>.</summary>
    public List<string> Names { get; private set; }

    /// <summary>Start of validity that the client asked for.</summary>
    public DateTimeOffset? NotBefore { get; private set; }

    /// <summary>End of validity that the client asked for.</summary>
    public DateTimeOffset? NotAfter { get; private set; }

    /// <summary>Name of the certificate profile; null for an order made before there were profiles, which has the default.</summary>
    public string? Profile { get; private set; }

    /// <summary>The certificate that it takes the place of, as the client named it.</summary>
    public string? Replaces { get; private set; }

    /// <summary>W3C trace context.</summary>
    public string? TraceParent { get; private set; }

    /// <summary>When it was opened.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it lapses unless it was finalized.</summary>
    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>When it was finalized.</summary>
    public DateTimeOffset? FinalizedAt { get; private set; }

    /// <summary>The certificate request as it came, DER.</summary>
    public byte[]? Csr { get; private set; }

    /// <summary>Public id of the certificate, null until it is recorded.</summary>
    public string? CertificateId { get; private set; }

    /// <summary>Why it failed, null while it has not.</summary>
    public AcmeProblem? Error { get; private set; }

    /// <summary>Concurrency token.</summary>
    public int Version { get; private set; }

    /// <summary>The state that holds at a time, given the order's authorizations.</summary>
    public OrderStatus StatusAt(DateTimeOffset now, IReadOnlyCollection<Authorization> authorizations)
    {
        if (CertificateId is not null)
        {
            return OrderStatus.Valid;
        }

        if (Error is not null)
        {
            return OrderStatus.Invalid;
        }

        if (FinalizedAt is not null)
        {
            return OrderStatus.Processing; // the worker decides, whatever the clock says meanwhile
        }

        if (now >= ExpiresAt)
        {
            return OrderStatus.Invalid;
        }

        // A name that nobody proved anything for keeps the order from being ready, whatever was loaded with it.
        var pending = !Names.All(n => authorizations.Any(a => a.Covers(n) && a.AccountId == AccountId));
        foreach (var authorization in authorizations)
        {
            switch (authorization.StatusAt(now))
            {
                case AuthorizationStatus.Valid:
                    break;
                case AuthorizationStatus.Pending:
                    pending = true;
                    break;
                default:
                    return OrderStatus.Invalid;
            }
        }

        return pending ? OrderStatus.Pending : OrderStatus.Ready;
    }

    /// <summary>Why the order is invalid: its own error, or what its failed authorizations say, one subproblem for each.</summary>
    public AcmeProblem? ErrorAt(DateTimeOffset now, IReadOnlyCollection<Authorization> authorizations)
    {
        if (Error is not null || CertificateId is not null || FinalizedAt is not null)
        {
            return Error;
        }

        var problems = new List<AcmeProblem>();
        foreach (var authorization in authorizations)
        {
            var status = authorization.StatusAt(now);
            if (status is AuthorizationStatus.Valid or AuthorizationStatus.Pending)
            {
                continue;
            }

            var error = authorization.Challenges.FirstOrDefault(c => c.Error is not null)?.Error
                ?? new AcmeProblem(ProblemCatalog.Unauthorized, $"The authorization for {authorization.CertificateName} is {status.ToString().ToLowerInvariant()}.");
            problems.Add(error with { Identifier = Identifier.Of(authorization.CertificateName).Acme });
        }

        if (problems.Count > 0)
        {
            return AcmeProblem.Combine(problems, $"{problems.Count} of {authorizations.Count} identifiers could not be authorized; see subproblems.");
        }

        return now >= ExpiresAt ? new AcmeProblem(ProblemCatalog.Malformed, $"The order expired at {ExpiresAt:O}.") : null;
    }

    /// <summary>The client hands in its certificate request: the order goes to processing (RFC 8555 section 7.4).</summary>
    /// <exception cref="InvalidOperationException">The order was not ready.</exception>
    public void Finalize(byte[] csr, DateTimeOffset now, IReadOnlyCollection<Authorization> authorizations)
    {
        if (StatusAt(now, authorizations) != OrderStatus.Ready)
        {
            throw new InvalidOperationException("only a ready order can be finalized");
        }

        Csr = csr;
        FinalizedAt = now;
    }

    /// <summary>The certificate is recorded: the order is valid.</summary>
    public void Complete(string certificateId)
    {
        if (FinalizedAt is null || Error is not null || CertificateId is not null)
        {
            throw new InvalidOperationException("only an order in processing can be completed");
        }

        CertificateId = certificateId;
    }

    /// <summary>No certificate will come of the order.</summary>
    public void Fail(AcmeProblem error)
    {
        if (CertificateId is not null)
        {
            throw new InvalidOperationException("an order with a certificate cannot fail");
        }

        Error = error;
    }
}
