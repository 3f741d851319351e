using PersistCa.Protocol.Caa;

namespace PersistCa.Server.Hosting;

/// <summary>Section Profiles:N: one profile of certificates (draft-ietf-acme-profiles). What is left out comes from the shipped profile of the same name, else from the section Issuance.</summary>
public sealed class ProfileOptions
{
    /// <summary>Its name, as clients ask for it: 1 to 64 letters, digits, hyphens and underscores.</summary>
    public string Name { get; set; } = "";

    /// <summary>What it is for, in a line, as the directory shows it.</summary>
    public string Description { get; set; } = "";

    /// <summary>False takes it off the directory: new orders and finalizations that name it are refused.</summary>
    public bool Offered { get; set; } = true;

    /// <summary>Whose rules hold, for validation and for what is signed: private or cabf-br. Empty: private.</summary>
    public string Regime { get; set; } = "";

    /// <summary>Names of the issuers that sign, best first: the first whose time it is. Empty: the one named issuing, or the first.</summary>
    public List<string> Issuers { get; set; } = [];

    /// <summary>Validity; zero for Issuance:Validity.</summary>
    public TimeSpan Validity { get; set; }

    /// <summary>What the key may be used for: server, client, or both. Empty: server.</summary>
    public List<string> Purposes { get; set; } = [];

    /// <summary>Policies that the certificate claims, OIDs.</summary>
    public List<string> Policies { get; set; } = [];

    /// <summary>Kinds of keys that are accepted: Rsa, P256, P384, P521, Ed25519. Empty: all that the regime allows.</summary>
    public List<string> Keys { get; set; } = [];

    /// <summary>How its status is told: Crl, Ocsp, or None (allowed up to seven days), or NoRevAvail (None, said in the certificate; not under cabf-br).</summary>
    public StatusKind? Status { get; set; }

    /// <summary>Whether a certificate with a list says besides where OCSP answers; empty for Issuance:Ocsp:Enabled.</summary>
    public bool? Ocsp { get; set; }

    /// <summary>Where the certificate of the issuer is found (caIssuers): an http URL in which {issuer} stands for the issuer's id, or none. Empty: this server's own.</summary>
    public string IssuerUrl { get; set; } = "";

    /// <summary>What the key may be used for, of what its kind can have: digitalSignature, keyEncipherment. Empty: all of that.</summary>
    public List<string> KeyUsages { get; set; } = [];

    /// <summary>Types of identifiers: dns, ip. Empty: all that are served.</summary>
    public List<string> Identifiers { get; set; } = [];

    /// <summary>Whether wildcards are accepted; empty for Names:AllowWildcards.</summary>
    public bool? Wildcards { get; set; }

    /// <summary>Names that it is for, of those that are served: a name, a pattern with stars, a suffix with a dot before it, a network. Empty: all.</summary>
    public List<string> Names { get; set; } = [];

    /// <summary>Dialects of dns-persist-01 that are accepted, of those of Validation:Persist:Dialects. Empty: all of these.</summary>
    public List<string> Dialects { get; set; } = [];

    /// <summary>Ids of the remote perspectives that are asked, of Validation:Perspectives, or none. Empty: all of these.</summary>
    public List<string> Perspectives { get; set; } = [];

    /// <summary>How many perspectives must see the same at least; 0 for what the regime says.</summary>
    public int PerspectivesNeeded { get; set; }

    /// <summary>What becomes of the CAA records of every name: Enforce, Report or Off. Empty: Validation:Caa.</summary>
    public CaaMode? Caa { get; set; }

    /// <summary>How long a proof may be used; zero: for the one order that it was made for. Empty: Acme:AuthorizationLifetime.</summary>
    public TimeSpan? Reuse { get; set; }

    /// <summary>Put the first name into the subject's common name; empty for Issuance:CommonName.</summary>
    public bool? CommonName { get; set; }

    /// <summary>Challenges by which names may be proved for it; empty for all on offer.</summary>
    public List<string> Challenges { get; set; } = [];

    /// <summary>Ids of the accounts that may have it; empty for all.</summary>
    public List<string> Accounts { get; set; } = [];

    /// <summary>Most names of one certificate; 0 for Acme:MaxNames.</summary>
    public int MaxNames { get; set; }
}

/// <summary>How the status of a certificate is told.</summary>
public enum StatusKind
{
    /// <summary>By the issuer's revocation list.</summary>
    Crl = 1,

    /// <summary>Not at all: it is over before a revocation would be seen.</summary>
    None = 2,

    /// <summary>Not at all, and the certificate says so (noRevAvail, RFC 9608).</summary>
    NoRevAvail = 3,

    /// <summary>By OCSP alone: the certificate names no list.</summary>
    Ocsp = 4,
}

/// <summary>Section Authority:Issuers:N: an issuer besides the one of IssuingCertificateFile, or the next one after it.</summary>
public sealed class IssuerOptions
{
    /// <summary>Its name in this configuration. The one of IssuingCertificateFile is named issuing.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its certificate (PEM); further certificates in the file are those above it.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>Reference to its key, as Authority:IssuingKey; empty for KeyFile.</summary>
    public string Key { get; set; } = "";

    /// <summary>Its key (encrypted PKCS#8 PEM).</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>The certificates above it (PEM), nearest first; empty where CertificateFile has them, and where only the issuing certificate is given out.</summary>
    public string ChainFile { get; set; } = "";

    /// <summary>Other chains, each a file (PEM) of certificates from the issuer, or from the one above it, upward: offered by Link rel="alternate".</summary>
    public List<string> AlternateChainFiles { get; set; } = [];

    /// <summary>When it begins to sign certificates; empty for at once.</summary>
    public DateTimeOffset? From { get; set; }

    /// <summary>When it stops signing certificates; from then on it signs lists and answers about those it signed. Empty for never.</summary>
    public DateTimeOffset? Until { get; set; }
}
