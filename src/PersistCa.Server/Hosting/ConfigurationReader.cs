using System.Collections;
using System.Globalization;
using System.Reflection;

namespace PersistCa.Server.Hosting;

/// <summary>What is wrong with the configuration: one key, what was found, what to write instead.</summary>
/// <param name="Key">The key, such as Validation:Dns:Resolvers:0.</param>
/// <param name="Message">What was found and the remedy.</param>
public sealed record ConfigurationFault(string Key, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Key}: {Message}";
}

/// <summary>
/// Binds configuration to options and refuses what it does not know. The framework's binder ignores or throws; an operator needs the key
/// and the remedy in one line.
/// </summary>
public static class ConfigurationReader
{
    /// <summary>Binds the whole configuration.</summary>
    /// <returns>The options, and every fault that was found.</returns>
    public static (PersistCaOptions Options, IReadOnlyList<ConfigurationFault> Faults) Read(IConfiguration configuration)
    {
        var options = new PersistCaOptions();
        var faults = new List<ConfigurationFault>();
        var written = new List<(string Place, string Key)>();
        Bind(configuration.GetChildren(), options, "", faults, written);
        if (faults.Count == 0)
        {
            faults.AddRange(OptionRules.Check(options).Select(f => f with { Key = Written(f.Key, written) }));
        }

        return (options, faults);
    }

    /// <summary>The key as it was written: rules name the place of a section in its list, and the numbers that were written may have gaps.</summary>
    private static string Written(string key, IEnumerable<(string Place, string Key)> written) =>
        written.FirstOrDefault(w => key.StartsWith(w.Place, StringComparison.Ordinal) && (key.Length == w.Place.Length || key[w.Place.Length] == ':')) is { Place: { } place } found
            ? found.Key + key[place.Length..]
            : key;

    private static void Bind(IEnumerable<IConfigurationSection> sections, object target, string path, List<ConfigurationFault> faults, List<(string Place, string Key)> written)
    {
        var properties = target.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite).ToArray();
        foreach (var section in sections)
        {
            var property = properties.FirstOrDefault(p => p.Name.Equals(section.Key, StringComparison.OrdinalIgnoreCase));
            if (property is null)
            {
                faults.Add(new ConfigurationFault(path + section.Key, UnknownKey(section.Key, properties, path)));
                continue;
            }

            BindProperty(section, property, target, path + property.Name, faults, written);
        }
    }

    private static void BindProperty(
        IConfigurationSection section, PropertyInfo property, object target, string key, List<ConfigurationFault> faults, List<(string Place, string Key)> written)
    {
        var type = property.PropertyType;
        var children = section.GetChildren().ToArray();
        if (ElementType(type) is { } element)
        {
            if (IsScalar(element))
            {
                BindList(section, children, property, target, key, element, faults);
            }
            else
            {
                BindSections(section, children, (IList)property.GetValue(target)!, key, element, faults, written);
            }
        }
        else if (IsScalar(type))
        {
            if (children.Length > 0)
            {
                faults.Add(new ConfigurationFault(key, $"a section was found where {Describe(type)} was expected"));
            }
            else if (Convert(section.Value ?? "", type, out var value))
            {
                property.SetValue(target, value);
            }
            else
            {
                faults.Add(new ConfigurationFault(key, $"'{section.Value}' was found where {Describe(type)} was expected"));
            }
        }
        else if (section.Value is { Length: > 0 } text)
        {
            faults.Add(new ConfigurationFault(key, $"'{text}' was found where a section was expected"));
        }
        else
        {
            Bind(children, property.GetValue(target)!, key + ":", faults, written);
        }
    }

    private static void BindList(
        IConfigurationSection section,
        IConfigurationSection[] children,
        PropertyInfo property,
        object target,
        string key,
        Type element,
        List<ConfigurationFault> faults)
    {
        if (children.Length > 0 && section.Value is { Length: > 0 } both)
        {
            faults.Add(new ConfigurationFault(key, $"'{both}' was given beside a list in another source; give the items as {key}:0, {key}:1 and so on"));
            return;
        }

        // "a,b" is a list too: environment variables and --set have no better way.
        var values = children.Length > 0
            ? children.OrderBy(c => int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : int.MaxValue)
                .Select(c => (Key: $"{key}:{c.Key}", Text: c.Value ?? ""))
            : (section.Value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select((text, i) => (Key: $"{key}:{i}", Text: text));
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element))!;
        foreach (var (itemKey, text) in values)
        {
            if (Convert(text, element, out var value) && text.Length > 0)
            {
                list.Add(value);
            }
            else
            {
                faults.Add(new ConfigurationFault(itemKey, $"'{text}' was found where {Describe(element)} was expected"));
            }
        }

        if (property.PropertyType.IsInstanceOfType(list))
        {
            property.SetValue(target, list);
        }
        else
        {
            throw new InvalidOperationException($"{key} has the type {property.PropertyType}, which configuration cannot fill");
        }
    }

    /// <summary>Binds a list of sections, in the order of their numbers.</summary>
    private static void BindSections(
        IConfigurationSection section, IConfigurationSection[] children, IList list, string key, Type element, List<ConfigurationFault> faults, List<(string Place, string Key)> written)
    {
        if (section.Value is { Length: > 0 } text)
        {
            faults.Add(new ConfigurationFault(key, $"'{text}' was found where a list of sections was expected, as in {key}:0:{element.GetProperties()[0].Name}"));
            return;
        }

        var numbered = children.Select(c => (Section: c, Number: int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1)).OrderBy(c => c.Number);
        foreach (var (child, number) in numbered)
        {
            var childKey = $"{key}:{child.Key}";
            if (number < 0)
            {
                faults.Add(new ConfigurationFault(childKey, $"a numbered section was expected, as in {key}:0:{element.GetProperties()[0].Name}"));
            }
            else if (child.Value is { Length: > 0 } value)
            {
                faults.Add(new ConfigurationFault(childKey, $"'{value}' was found where a numbered section was expected, as in {key}:0:{element.GetProperties()[0].Name}"));
            }
            else
            {
                var item = Activator.CreateInstance(element)!;
                Bind(child.GetChildren(), item, childKey + ":", faults, written);
                written.Add(($"{key}:{list.Count}", childKey));
                list.Add(item);
            }
        }
    }

    private static Type? ElementType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var g && (g == typeof(List<>) || g == typeof(IReadOnlyList<>) || g == typeof(IList<>))
            ? type.GetGenericArguments()[0]
            : null;

    private static bool IsScalar(Type type) =>
        type.IsEnum || type == typeof(string) || type == typeof(int) || type == typeof(long) || type == typeof(bool) || type == typeof(TimeSpan) || type == typeof(DateTimeOffset)
        || (Nullable.GetUnderlyingType(type) is { } inner && IsScalar(inner));

    private static bool Convert(string text, Type type, out object? value)
    {
        value = null;
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return text.Length == 0 || Convert(text, inner, out value);
        }

        if (type == typeof(string))
        {
            value = text;
        }
        else if (type == typeof(int) && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            value = number;
        }
        else if (type == typeof(long) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var big))
        {
            value = big;
        }
        else if (type == typeof(bool) && bool.TryParse(text, out var flag))
        {
            value = flag;
        }
        else if (type == typeof(TimeSpan) && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var span))
        {
            value = span;
        }
        else if (type == typeof(DateTimeOffset) && DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            value = time;
        }
        else if (type.IsEnum)
        {
            value = Enum.GetNames(type).FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name ? Enum.Parse(type, name) : null;
        }

        return value is not null;
    }

    private static string Describe(Type type) => type switch
    {
        _ when type == typeof(int) || type == typeof(long) => "a whole number",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(TimeSpan) => "a duration such as 00:00:05 or 90.00:00:00",
        _ when Nullable.GetUnderlyingType(type) is { } inner => Describe(inner),
        _ when type == typeof(DateTimeOffset) => "a time such as 2030-01-31T00:00:00Z",
        { IsEnum: true } => string.Join(" or ", Enum.GetNames(type)),
        _ => "text",
    };

    private static string UnknownKey(string key, PropertyInfo[] properties, string path)
    {
        var near = properties.Select(p => (p.Name, Distance: Distance(p.Name.ToUpperInvariant(), key.ToUpperInvariant()))).MinBy(p => p.Distance);
        var known = string.Join(", ", properties.Select(p => p.Name));
        var where = path.Length == 0 ? "at the top" : "in " + path.TrimEnd(':');
        return near.Distance <= Math.Min(2, key.Length / 3) ? $"there is no such key; did you mean {path}{near.Name}?" : $"there is no such key; known {where}: {known}";
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var next = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                (diagonal, row[j]) = (row[j], next);
            }
        }

        return row[b.Length];
    }
}
