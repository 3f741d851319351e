using System.Collections.Concurrent;
using System.Text;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;
using PersistCa.Protocol;

namespace PersistCa.Issuance.KeyStores.Pkcs11;

/// <summary>
/// A token with its sessions. Whatever fails, the sessions are thrown away, opened anew with a new login, and the call is made again; at last the module is
/// started anew. Then there is a pause, in which every call is refused at once, so that a token that is away is not knocked at by everybody.
/// </summary>
internal sealed class Pkcs11Token(Pkcs11Options options, KeyReference selection, Func<Parsed<string>> pin, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim places = new(options.Sessions, options.Sessions);
    private readonly Lock gate = new();

    // A login that hangs holds the gate; who only asks whether there is a pause must not wait for it.
    private readonly Lock pausing = new();
    private Pkcs11Module? module;
    private Connection? current;
    private int losses;
    private DateTimeOffset notBefore;
    private string? lastReason;
    private string? refusedPin;
    private bool closed;

    /// <summary>Handles by key, of the connection they were found in.</summary>
    internal sealed record Connection(Pkcs11Module Module, int Generation, ISlot Slot)
    {
        public ConcurrentBag<ISession> Idle { get; } = [];

        public ConcurrentDictionary<string, IObjectHandle> Handles { get; } = [];

        public bool Broken { get; set; }
    }

    /// <summary>Does something in a session of its own for the time.</summary>
    /// <param name="work">What; must be safe to do twice.</param>
    /// <param name="writing">Whether it writes to the token.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <exception cref="KeyStoreAwayException">The token does not answer.</exception>
    public async Task<T> RunAsync<T>(Func<ISession, Connection, T> work, bool writing, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        RefuseInPause();
        if (!await places.WaitAsync(options.Timeout, cancel))
        {
            throw new KeyStoreAwayException($"no session of the token was free within {options.Timeout.TotalSeconds:0.###} s");
        }

        // The place is given back when the call ends, not when its wait does: a call that hangs must not be doubled.
        var call = Task.Run(
            () =>
            {
                try
                {
                    return Try(work, writing);
                }
                finally
                {
                    places.Release();
                }
            },
            CancellationToken.None);
        try
        {
            return await call.WaitAsync(options.Timeout, clock, cancel);
        }
        catch (TimeoutException e)
        {
            _ = call.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw new KeyStoreAwayException($"the token did not answer within {options.Timeout.TotalSeconds:0.###} s", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            if (current is { } connection)
            {
                Drop(connection);
            }

            module?.Dispose();
            module = null;
        }
    }

    private void RefuseInPause()
    {
        lock (pausing)
        {
            if (lastReason is not null && clock.GetUtcNow() < notBefore)
            {
                throw new KeyStoreAwayException(lastReason);
            }
        }
    }

    private T Try<T>(Func<ISession, Connection, T> work, bool writing)
    {
        for (var attempt = 1; ; attempt++)
        {
            Connection? connection = null;
            try
            {
                connection = Connected(restart: attempt > 2);
                var done = Once(connection, work, writing);
                Succeeded();
                return done;
            }
            catch (Exception e) when (e is Pkcs11Exception or KeyStoreAwayException or PinRefusedException)
            {
                Drop(connection);
                if (attempt >= options.Attempts || e is PinRefusedException)
                {
                    throw Failed(e);
                }
            }
        }
    }

    private static T Once<T>(Connection connection, Func<ISession, Connection, T> work, bool writing) => connection.Module.Use((_, generation) =>
    {
        if (generation != connection.Generation)
        {
            throw new KeyStoreAwayException("the module was started anew meanwhile");
        }

        var session = writing || !connection.Idle.TryTake(out var idle) ? connection.Slot.OpenSession(writing ? SessionType.ReadWrite : SessionType.ReadOnly) : idle;
        var sound = false;
        try
        {
            var done = work(session, connection);
            sound = true;
            return done;
        }
        finally
        {
            if (sound && !writing && !connection.Broken)
            {
                connection.Idle.Add(session);
            }
            else
            {
                Close(session);
            }
        }
    });

    private Connection Connected(bool restart)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            module ??= Pkcs11Module.Share(options.Module);
            if (current is { Broken: false } && current.Generation == module.Generation)
            {
                return current;
            }

            if (restart)
            {
                module.Restart(module.Generation, options.Timeout);
            }

            current = module.Use(Open);
            return current;
        }
    }

    private Connection Open(IPkcs11Library library, int generation)
    {
        var slots = library.GetSlotList(SlotsType.WithTokenPresent).Where(Matches).ToList();
        if (slots.Count != 1)
        {
            throw new KeyStoreAwayException(slots.Count == 0 ? "the token is not there" : $"{slots.Count} tokens fit the reference; name one by token or serial");
        }

        var connection = new Connection(module!, generation, slots[0]);
        var session = slots[0].OpenSession(SessionType.ReadOnly);
        Login(session);
        connection.Idle.Add(session);
        return connection;
    }

    private bool Matches(ISlot slot)
    {
        var token = slot.GetTokenInfo();
        return token.TokenFlags.TokenInitialized
            && Fits("token", token.Label) && Fits("serial", token.SerialNumber) && Fits("manufacturer", token.ManufacturerId) && Fits("model", token.Model);

        bool Fits(string selector, string value) => selection.Selector(selector) is not { } wanted || wanted == value.TrimEnd(' ', '\0');
    }

    /// <summary>Logs in for the whole process. A PIN that was refused is never tried again: tokens lock themselves after a few.</summary>
    private void Login(ISession session)
    {
        var found = pin();
        if (!found.IsValid)
        {
            throw new PinRefusedException(found.Reason);
        }

        if (found.Value == refusedPin)
        {
            throw new PinRefusedException("the token refused the PIN, which is not tried again until it is changed");
        }

        try
        {
            session.Login(CKU.CKU_USER, Encoding.UTF8.GetBytes(found.Value));
        }
        catch (Pkcs11Exception e) when (e.RV == CKR.CKR_USER_ALREADY_LOGGED_IN)
        {
            // By another store of this process; a login is everybody's.
        }
        catch (Pkcs11Exception e) when (e.RV is CKR.CKR_PIN_INCORRECT or CKR.CKR_PIN_INVALID or CKR.CKR_PIN_LEN_RANGE or CKR.CKR_PIN_LOCKED or CKR.CKR_PIN_EXPIRED)
        {
            refusedPin = found.Value;
            throw new PinRefusedException($"the token refused the PIN ({e.RV})");
        }
    }

    private void Succeeded()
    {
        if (Volatile.Read(ref losses) == 0)
        {
            return;
        }

        lock (pausing)
        {
            losses = 0;
            lastReason = null;
        }
    }

    private KeyStoreAwayException Failed(Exception cause)
    {
        var reason = cause is Pkcs11Exception p ? $"the token failed: {p.Method} gave {p.RV}" : cause.Message;
        lock (pausing)
        {
            var pause = TimeSpan.FromTicks(Math.Min(options.LongestPause.Ticks, FirstPause.Ticks << Math.Min(losses, 20)));
            losses++;
            lastReason = reason;
            notBefore = clock.GetUtcNow() + pause;
        }

        return new KeyStoreAwayException(reason, cause);
    }

    private static void Drop(Connection? connection)
    {
        if (connection is null)
        {
            return;
        }

        connection.Broken = true;
        try
        {
            connection.Module.Use((_, generation) =>
            {
                while (connection.Idle.TryTake(out var session))
                {
                    // Sessions of a module that was started anew are gone, and their numbers may be somebody else's by now.
                    if (generation == connection.Generation)
                    {
                        Close(session);
                    }
                }

                return true;
            });
        }
        catch (KeyStoreAwayException)
        {
            // No module, no sessions.
        }
    }

    private static void Close(ISession session)
    {
        try
        {
            session.Dispose();
        }
        catch (Pkcs11Exception)
        {
            // Gone already.
        }
    }

    private sealed class PinRefusedException(string reason) : Exception(reason);
}
