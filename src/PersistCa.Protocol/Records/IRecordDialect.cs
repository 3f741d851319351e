namespace PersistCa.Protocol.Records;

/// <summary>One way of writing a record: says whose it is, and what it says.</summary>
internal interface IRecordDialect
{
    /// <summary>The dialect.</summary>
    public PersistDialect Dialect { get; }

    /// <summary>Judges grammar and account of a record that is ours; time and scope are the same for all dialects and judged elsewhere.</summary>
    /// <returns>A verdict whose reason is Fits when grammar and account are right.</returns>
    public RecordVerdict Read(FoundTxt record, PersistQuestion question, PersistPolicy policy);
}
