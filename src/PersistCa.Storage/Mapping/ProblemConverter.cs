using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using PersistCa.Protocol.Acme;

namespace PersistCa.Storage.Mapping;

/// <summary>Keeps a problem in the JSON form in which clients see it.</summary>
internal sealed class ProblemConverter() : ValueConverter<AcmeProblem, string>(p => ProblemDocument.Write(p), s => ProblemDocument.Read(s));
