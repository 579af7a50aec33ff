// dotnet run examples/first.cs
#:project ../src/Engine.CSharp/Engine.CSharp.csproj
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false
using Verified.Engine;

// A line through noisy points, by gradient descent.
var x = Tensor.Create([0f, 1f, 2f, 3f]);
var y = Tensor.Create([1.1f, 2.9f, 5.2f, 6.9f]);
var slope = Tensor.Scalar(0, requiresGrad: true);
var offset = Tensor.Scalar(0, requiresGrad: true);

for (var step = 0; step < 500; step++)
{
    var loss = (slope * x + offset - y).Square().Mean();
    loss.Backward();
    using (Autograd.NoGrad())
    {
        slope.AddInPlace(slope.Grad! * -0.1);
        offset.AddInPlace(offset.Grad! * -0.1);
    }

    slope.ZeroGrad();
    offset.ZeroGrad();
}

Console.WriteLine($"slope {slope.Item():0.000}, offset {offset.Item():0.000}");

// Functions are differentiated too, to any order.
var at = Tensor.Create([3f]);
var gradient = Functional.Grad(t => (t * t * t).Sum(), at);
var hessian = Functional.Hessian(t => (t * t * t).Sum(), at);
Console.WriteLine($"(x^3)' = {gradient}, (x^3)'' = {hessian}");

// An in-place write to a value that backward needs is an error, as in PyTorch.
var s = slope.Sigmoid();
s.MulInPlace(2);
try { s.Backward(); }
catch (AutogradException e) { Console.WriteLine(e.Message[..90] + " ..."); }
