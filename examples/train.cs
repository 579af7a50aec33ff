// dotnet run -c Release examples/train.cs
#:project ../src/Training.CSharp/Training.CSharp.csproj
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false
using Verified.Training;

Rng.ManualSeed(0);
var (features, labels) = Generated.LinearData([2, -3.4], 4.2, count: 1000);
var data = new DataLoader(new TensorDataset(features, labels), batchSize: 10, shuffle: true);
var model = new Linear(2, 1);
var loss = new MSELoss();
var optimizer = new SGD(model.Parameters(), lr: 0.03);

for (var epoch = 1; epoch <= 3; epoch++)
{
    foreach (var (x, y) in data)
    {
        optimizer.ZeroGrad();
        loss.Forward(model.Forward(x), y).Backward();
        optimizer.Step();
    }
}

Console.WriteLine($"weight {model.Weight.Detach()}, bias {model.Bias!.Detach()}");
