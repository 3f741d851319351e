using System.Runtime.InteropServices;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace PersistCa.Issuance.KeyStores.Pkcs11;

/// <summary>
/// A loaded module, one for all stores of this process that use it: a module is initialised for a process, and finalising it ends everybody's sessions.
/// Calls hold the gate for reading; starting the module anew holds it for writing and counts a generation up, so that nobody takes sessions and handles of
/// the one before for their own.
/// </summary>
internal sealed class Pkcs11Module : IDisposable
{
    private static readonly Lock Table = new();
    private static readonly Dictionary<string, Pkcs11Module> Loaded = [];
    private static readonly Pkcs11InteropFactories Factories = Prepared();

    private readonly ReaderWriterLockSlim gate = new();
    private readonly string path;
    private IPkcs11Library? library;
    private int users;

    private Pkcs11Module(string path) => this.path = path;

    /// <summary>How often the module was started.</summary>
    public int Generation { get; private set; }

    /// <summary>The module at a path, started if nobody has it open; to be disposed once by each who asked.</summary>
    /// <exception cref="KeyStoreAwayException">It cannot be loaded or started.</exception>
    public static Pkcs11Module Share(string path)
    {
        lock (Table)
        {
            if (!Loaded.TryGetValue(path, out var module))
            {
                module = new Pkcs11Module(path);
                module.Start();
                Loaded[path] = module;
            }

            module.users++;
            return module;
        }
    }

    /// <summary>Calls the module, beside other calls and never beside a restart.</summary>
    public T Use<T>(Func<IPkcs11Library, int, T> work)
    {
        gate.EnterReadLock();
        try
        {
            return work(library ?? throw new KeyStoreAwayException($"the module {path} could not be started"), Generation);
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>Starts the module anew, unless somebody else did since.</summary>
    /// <param name="seen">The generation that was in trouble.</param>
    /// <param name="patience">How long to wait for calls under way.</param>
    /// <exception cref="KeyStoreAwayException">It cannot be started, or a call does not end.</exception>
    public void Restart(int seen, TimeSpan patience)
    {
        if (!gate.TryEnterWriteLock(patience))
        {
            throw new KeyStoreAwayException($"the module {path} does not come back from a call");
        }

        try
        {
            if (Generation != seen)
            {
                return;
            }

            Stop();
            Start();
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Table)
        {
            if (--users == 0)
            {
                Loaded.Remove(path);
                gate.EnterWriteLock();
                Stop();
                gate.ExitWriteLock();
            }
        }
    }

    private static Pkcs11InteropFactories Prepared()
    {
        // The library asks for "libdl" by a name that no Linux has any more without its development files.
        NativeLibrary.SetDllImportResolver(
            typeof(Pkcs11InteropFactories).Assembly,
            (name, _, _) => name == "libdl" && NativeLibrary.TryLoad("libdl.so.2", out var found) ? found : IntPtr.Zero);
        return new Pkcs11InteropFactories();
    }

    private void Start()
    {
        if (!File.Exists(path))
        {
            throw new KeyStoreAwayException($"there is no module {path}");
        }

        try
        {
            library = Factories.Pkcs11LibraryFactory.LoadPkcs11Library(Factories, path, AppType.MultiThreaded);
            Generation++;
        }
        catch (Exception e) when (e is Pkcs11Exception or UnmanagedException or LibraryArchitectureException or DllNotFoundException or BadImageFormatException)
        {
            library = null;
            Generation++;
            throw new KeyStoreAwayException($"the module {path} cannot be started: {e.Message}", e);
        }
    }

    private void Stop()
    {
        try
        {
            library?.Dispose();
        }
        catch (Exception e) when (e is Pkcs11Exception or UnmanagedException)
        {
            // A module in trouble may refuse to be finalised; loading it again says whether it works.
        }

        library = null;
    }
}
