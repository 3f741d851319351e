using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PersistCa.Server.Telemetry;

/// <summary>The names under which this server is seen from outside.</summary>
public static class CaTelemetry
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "PersistCA";

    /// <summary>Spans.</summary>
    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Orders opened.</summary>
    public static readonly Counter<long> OrdersOpened = Meter.CreateCounter<long>("persistca.orders.opened", "{order}", "Orders opened");

    /// <summary>Validations concluded, by challenge and verdict.</summary>
    public static readonly Counter<long> Validations = Meter.CreateCounter<long>("persistca.validations", "{validation}", "Validations concluded");

    /// <summary>Time of a validation, by challenge and verdict.</summary>
    public static readonly Histogram<double> ValidationTime = Meter.CreateHistogram<double>("persistca.validation.duration", "s", "Time of a validation");

    /// <summary>Names looked at in advance, by verdict.</summary>
    public static readonly Counter<long> JustInTime = Meter.CreateCounter<long>("persistca.validations.just_in_time", "{validation}", "Names looked at in advance");

    /// <summary>Time that looking in advance took an order, by verdict.</summary>
    public static readonly Histogram<double> JustInTimeTime = Meter.CreateHistogram<double>("persistca.validation.just_in_time.duration", "s", "Time of looking in advance");

    /// <summary>Looks of remote perspectives, by perspective and finding: one that fails always is down, and leaves no room for a second.</summary>
    public static readonly Counter<long> PerspectiveLooks = Meter.CreateCounter<long>("persistca.perspectives.looks", "{look}", "Looks of remote perspectives");

    /// <summary>CAA look-ups, by outcome and mode.</summary>
    public static readonly Counter<long> CaaChecks = Meter.CreateCounter<long>("persistca.caa.checks", "{check}", "CAA checks");

    /// <summary>Time from finalize to the recorded certificate.</summary>
    public static readonly Histogram<double> IssuanceTime = Meter.CreateHistogram<double>("persistca.issuance.duration", "s", "Time from finalize to the recorded certificate");

    /// <summary>Certificates issued.</summary>
    public static readonly Counter<long> Issued = Meter.CreateCounter<long>("persistca.certificates.issued", "{certificate}", "Certificates issued");

    /// <summary>Certificates that the lint forbade: worth an alarm, since no client can mend them.</summary>
    public static readonly Counter<long> LintRefusals = Meter.CreateCounter<long>("persistca.lint.refusals", "{certificate}", "Certificates that the lint forbade");

    /// <summary>Certificates revoked.</summary>
    public static readonly Counter<long> Revoked = Meter.CreateCounter<long>("persistca.certificates.revoked", "{certificate}", "Certificates revoked");

    /// <summary>OCSP answers signed, kept for everybody or for one question.</summary>
    public static readonly Counter<long> OcspSigned = Meter.CreateCounter<long>("persistca.ocsp.signed", "{answer}", "OCSP answers signed");

    /// <summary>Refusals sent to clients, by problem type.</summary>
    public static readonly Counter<long> Problems = Meter.CreateCounter<long>("persistca.problems", "{problem}", "Problem documents sent");

    /// <summary>Announces the depth of the queues, which a worker keeps up to date.</summary>
    public static void ObserveQueues(Func<IEnumerable<Measurement<long>>> depths, Func<IEnumerable<Measurement<long>>> parked)
    {
        Meter.CreateObservableGauge("persistca.queue.depth", depths, "{item}", "Work items waiting or being worked on");
        Meter.CreateObservableGauge("persistca.queue.parked", parked, "{item}", "Work items that failed too often and wait for an operator");
    }
}
