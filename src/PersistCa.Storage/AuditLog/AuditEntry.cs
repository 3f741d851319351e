namespace PersistCa.Storage.AuditLog;

/// <summary>One event, written in the transaction of the change it speaks of: no entry, no change.</summary>
public sealed class AuditEntry
{
    /// <summary>Internal id, rising; not yet a place in a log.</summary>
    public long Id { get; private set; }

    /// <summary>When it happened, by this server's clock.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>What happened: one of <see cref="AuditKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Who brought it about: "account:ID", "server", "operator" (a person at the host), "operator:NAME".</summary>
    public required string Actor { get; init; }

    /// <summary>What it happened to: "order:ID" and the like.</summary>
    public required string Subject { get; init; }

    /// <summary>Further facts as a JSON object of strings; never secrets.</summary>
    public required string Facts { get; init; }

    /// <summary>Trace id, when there was a trace.</summary>
    public string? TraceId { get; init; }
}

/// <summary>The closed list of events.</summary>
public static class AuditKinds
{
    public const string AccountCreated = "account.created";
    public const string AccountUpdated = "account.updated";
    public const string AccountKeyChanged = "account.key-changed";
    public const string AccountDeactivated = "account.deactivated";
    public const string ExternalAccountKeyCreated = "external-account.key-created";
    public const string ExternalAccountKeyChanged = "external-account.key-changed";
    public const string ExternalAccountKeyRemoved = "external-account.key-removed";
    public const string ExternalAccountBound = "external-account.bound";
    public const string ExternalAccountRefused = "external-account.refused";
    public const string OrderCreated = "order.created";
    public const string OrderFinalized = "order.finalized";
    public const string OrderFailed = "order.failed";
    public const string AuthorizationOpened = "authorization.opened";
    public const string AuthorizationDeactivated = "authorization.deactivated";
    public const string ChallengeAccepted = "challenge.accepted";
    public const string ValidationSucceeded = "validation.succeeded";
    public const string ValidationFailed = "validation.failed";
    public const string CaaChecked = "caa.checked";
    public const string IssuanceIntended = "issuance.intended";
    public const string IssuanceResumed = "issuance.resumed";
    public const string IssuanceAbandoned = "issuance.abandoned";
    public const string CertificateIssued = "certificate.issued";
    public const string CertificateRevoked = "certificate.revoked";
    public const string RevocationUpgraded = "certificate.revocation-upgraded";
    public const string KeyBlocked = "key.blocked";
    public const string CrlPublished = "crl.published";
    public const string CrlPointAdded = "crl.point-added";
    public const string OcspSignerIntended = "ocsp-signer.intended";
    public const string OcspSignerIssued = "ocsp-signer.issued";
    public const string OcspSigned = "ocsp.signed";
    public const string IssuerAdded = "issuer.added";
    public const string SecretCreated = "secret.created";
    public const string ServerCertificateIntended = "server-certificate.intended";
    public const string ServerCertificateIssued = "server-certificate.issued";
    public const string OperatorTokenCreated = "operator.token-created";
    public const string OperatorTokenRevoked = "operator.token-revoked";
    public const string OperatorCalled = "operator.called";
    public const string OperatorRefused = "operator.refused";
    public const string RevocationProposed = "revocation.proposed";
    public const string RevocationApproved = "revocation.approved";
    public const string RevocationBegun = "revocation.begun";
    public const string RevocationAdvanced = "revocation.advanced";
    public const string RevocationFinished = "revocation.finished";
    public const string AccountSuspended = "account.suspended";
    public const string AccountResumed = "account.resumed";
    public const string AccountRevoked = "account.revoked";
    public const string AccountRestricted = "account.restricted";
    public const string LimitReset = "limit.reset";
    public const string ProfileWithdrawn = "profile.withdrawn";
    public const string ProfileOffered = "profile.offered";
    public const string IssuerStopped = "issuer.stopped";
    public const string IssuerResumed = "issuer.resumed";
    public const string JobRetried = "job.retried";
    public const string JobCancelled = "job.cancelled";
    public const string ProposalMade = "proposal.made";
    public const string ProposalApproved = "proposal.approved";
    public const string ProposalWithdrawn = "proposal.withdrawn";
    public const string ProposalCarriedOut = "proposal.carried-out";
    public const string DutyTaken = "duty.taken";

    public const string SearchFilled = "store.search-filled";
    public const string LapsedForgotten = "store.lapsed-forgotten";
    public const string StoreBackedUp = "store.backed-up";
    public const string StoreRestored = "store.restored";
    public const string StoreReconciled = "store.reconciled";
    public const string ServerStarted = "server.started";
}
