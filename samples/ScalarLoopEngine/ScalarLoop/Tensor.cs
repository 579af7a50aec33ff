namespace ScalarLoop;

/// <summary>A tensor of plain numbers that remembers what it was made of. A float32 one rounds every result to float32.</summary>
public sealed class Tensor(double[] data, int[] shape, bool single, bool requiresGrad = false)
{
    public double[] Data { get; } = single ? Array.ConvertAll(data, v => (double)(float)v) : data;

    public int[] Shape => shape;

    public bool Single => single;

    public bool RequiresGrad => requiresGrad;

    public double[]? Grad { get; set; }

    /// <summary>The inputs, each with the function that takes this tensor's gradient to the input's.</summary>
    internal (Tensor Input, Func<double[], double[]> Pull)[] Inputs { get; init; } = [];

    /// <summary>The gradient of this tensor, times a seed of its shape, is added to the Grad of its leaves.</summary>
    public void Backward(double[]? seed = null)
    {
        var order = new List<Tensor>();
        Sort(this, order, []);
        var gradients = new Dictionary<Tensor, double[]> { [this] = seed ?? [1] };
        foreach (var tensor in Enumerable.Reverse(order))
        {
            var g = gradients[tensor];
            if (tensor.Inputs.Length == 0) tensor.Grad = tensor.Grad is null ? g : tensor.Rounded(tensor.Grad.Zip(g, (a, b) => a + b));
            foreach (var (input, pull) in tensor.Inputs)
                if (input.RequiresGrad)
                    gradients[input] = input.Rounded(gradients.TryGetValue(input, out var sum) ? pull(g).Zip(sum, (a, b) => a + b) : pull(g));
        }
    }

    private double[] Rounded(IEnumerable<double> values) => [.. single ? values.Select(v => (double)(float)v) : values];

    private static void Sort(Tensor tensor, List<Tensor> order, HashSet<Tensor> seen)
    {
        if (!seen.Add(tensor)) return;
        foreach (var (input, _) in tensor.Inputs)
            if (input.RequiresGrad) Sort(input, order, seen);
        order.Add(tensor);
    }
}
