// Measurements. Each prints one line of figures; compare only what ran on the same machine in the same minute.
//
//   dotnet run -c Release --project tests/PersistCa.Benchmarks -- validations [--delay MS] [--dead PERCENT] [--places N] [--count N]
//   dotnet run -c Release --project tests/PersistCa.Benchmarks -- bulkhead [--dead-names N]
//
// See docs/operations/performance.md.
using PersistCa.Benchmarks;

return args switch
{
    ["validations", .. var rest] => await Validations.RunAsync(Arguments.Read(rest)),
    ["bulkhead", .. var rest] => await Bulkhead.RunAsync(Arguments.Read(rest)),
    _ => Arguments.Usage(),
};
