// Loads the engine and its F# face into a script or an interactive session, which then prints tensors as PyTorch does:
// `dotnet build -c Release src/Engine.FSharp`, and `#load "src/Engine.FSharp/fsi.fsx"` at the top of the script.
#r "bin/Release/net10.0/Verified.Engine.dll"
#r "bin/Release/net10.0/Verified.Engine.FSharp.dll"

fsi.AddPrinter(fun (x: Verified.Engine.Tensor) -> x.ToString())
