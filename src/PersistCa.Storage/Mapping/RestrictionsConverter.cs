using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using PersistCa.Protocol.Accounts;

namespace PersistCa.Storage.Mapping;

/// <summary>Keeps an account's restrictions as JSON.</summary>
internal sealed class RestrictionsConverter() : ValueConverter<AccountRestrictions, string>(r => RestrictionsText.Write(r), s => RestrictionsText.Read(s));
