using System.Security.Cryptography;

namespace PersistCa.Issuance.Age;

/// <summary>Encrypts chunk by chunk. The last chunk is written when it is disposed of: a file without one is not read.</summary>
internal sealed class AgeWriteStream(Stream inner, byte[] key) : Stream
{
    private readonly ChaCha20Poly1305 cipher = new(key);
    private readonly byte[] plain = new byte[AgeFile.ChunkOctets];
    private readonly byte[] sealedOctets = new byte[AgeFile.ChunkOctets + AgeFile.TagOctets];
    private int held;
    private ulong chunk;
    private bool ended;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            if (held == plain.Length)
            {
                Send(last: false);
            }

            var taken = Math.Min(buffer.Length, plain.Length - held);
            buffer[..taken].CopyTo(plain.AsSpan(held));
            held += taken;
            buffer = buffer[taken..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Nothing: chunks are sent when they are full.</summary>
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !ended)
        {
            ended = true;
            Send(last: true);
            cipher.Dispose();
            CryptographicOperations.ZeroMemory(plain);
        }

        base.Dispose(disposing);
    }

    private void Send(bool last)
    {
        Span<byte> nonce = stackalloc byte[12];
        AgeFile.WriteNonce(nonce, chunk++, last);
        cipher.Encrypt(nonce, plain.AsSpan(0, held), sealedOctets.AsSpan(0, held), sealedOctets.AsSpan(held, AgeFile.TagOctets));
        inner.Write(sealedOctets, 0, held + AgeFile.TagOctets);
        held = 0;
    }
}

/// <summary>Decrypts chunk by chunk, and shows nothing of one before it was found whole.</summary>
internal sealed class AgeReadStream(Stream inner, byte[] key) : Stream
{
    private readonly ChaCha20Poly1305 cipher = new(key);
    private readonly byte[] plain = new byte[AgeFile.ChunkOctets];

    // One octet more than a chunk: it tells whether another follows.
    private readonly byte[] sealedOctets = new byte[AgeFile.ChunkOctets + AgeFile.TagOctets + 1];
    private int kept;
    private int at;
    private int end;
    private ulong chunk;
    private bool ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        while (at == end && !ended)
        {
            Next();
        }

        var taken = Math.Min(buffer.Length, end - at);
        plain.AsSpan(at, taken).CopyTo(buffer);
        at += taken;
        return taken;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            cipher.Dispose();
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Next()
    {
        var read = kept + inner.ReadAtLeast(sealedOctets.AsSpan(kept), sealedOctets.Length - kept, throwOnEndOfStream: false);
        var last = read < sealedOctets.Length;
        var octets = last ? read : read - 1;
        if (octets < AgeFile.TagOctets || (octets == AgeFile.TagOctets && chunk > 0))
        {
            throw new InvalidDataException("it is cut: its end is missing");
        }

        Span<byte> nonce = stackalloc byte[12];
        AgeFile.WriteNonce(nonce, chunk, last);
        var length = octets - AgeFile.TagOctets;
        try
        {
            cipher.Decrypt(nonce, sealedOctets.AsSpan(0, length), sealedOctets.AsSpan(length, AgeFile.TagOctets), plain.AsSpan(0, length));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new InvalidDataException($"it is damaged or cut, at or behind its octet {chunk * (AgeFile.ChunkOctets + AgeFile.TagOctets)} of encrypted content");
        }

        (at, end, ended, chunk) = (0, length, last, chunk + 1);
        kept = last ? 0 : 1;
        sealedOctets[0] = sealedOctets[octets < sealedOctets.Length ? octets : 0];
    }
}
