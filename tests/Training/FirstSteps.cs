using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>The shortest whole use of the library, as a user would write it.</summary>
[Collection(DefaultGenerator.Name)]
public sealed class FirstSteps
{
    [Fact]
    public void A_plain_loop_learns_to_tell_points_inside_a_circle_from_those_outside()
    {
        Rng.ManualSeed(0);
        var x = (Rng.Rand([512, 2]) * 2) - 1;
        var y = x.Square().Sum(1).Lt(0.5).To(DType.Int64);

        var model = new Net();
        var criterion = new CrossEntropyLoss();
        var optimizer = new Adam(model.Parameters(), lr: 0.01);
        for (var epoch = 0; epoch < 10; epoch++)
        {
            foreach (var batch in Rng.Randperm(512).ToLongs().Chunk(32))
            {
                var rows = Tensor.Create(batch);
                optimizer.ZeroGrad();
                var loss = criterion.Forward(model.Forward(x.IndexSelect(0, rows)), y.IndexSelect(0, rows));
                loss.Backward();
                optimizer.Step();
            }
        }

        using var off = Autograd.NoGrad();
        var correct = model.Forward(x).Argmax(1).Eq(y).To(DType.Float32).Mean().Item();
        Assert.InRange(correct, 0.9, 1);
    }

    private sealed class Net : Module
    {
        private readonly Linear hidden = new(2, 32);
        private readonly Linear output = new(32, 2);

        public override Tensor Forward(Tensor x) => output.Forward(hidden.Forward(x).Relu());
    }
}
