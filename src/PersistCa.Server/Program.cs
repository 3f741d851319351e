using PersistCa.Server.Commands;

return await PersistCaCommand.RunAsync(args);
