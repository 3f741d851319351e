namespace PersistCa.Protocol.Certificates;

/// <summary>A name of a certificate, in the two forms by which certificates are searched.</summary>
public sealed class CertifiedName
{
    /// <summary>Internal id of the certificate.</summary>
    public long CertificateId { get; private set; }

    /// <summary>The name as <c>Identifier.Text</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The same from its end: names under one domain begin alike, and an index finds them.</summary>
    public required string Reversed { get; init; }

    /// <summary>The row of a name.</summary>
    public static CertifiedName Of(string name) => new() { Name = name, Reversed = Reverse(name) };

    /// <summary>A text from its end.</summary>
    public static string Reverse(string text) => string.Create(text.Length, text, (span, t) =>
    {
        t.CopyTo(span);
        span.Reverse();
    });
}
