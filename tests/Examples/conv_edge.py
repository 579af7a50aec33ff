# What conv-edge prints with PyTorch: the lines that ExampleTests holds the example to.
import torch, torch.nn as nn
torch.manual_seed(0)
X=torch.ones(6,8); X[:,2:6]=0
K=torch.tensor([[1.,-1.]])
Y=X[:,:-1]-X[:,1:]
conv=nn.Conv2d(1,1,kernel_size=(1,2),bias=False)
X=X.reshape(1,1,6,8); Y=Y.reshape(1,1,6,7)
for i in range(10):
    l=((conv(X)-Y)**2)
    conv.zero_grad(); l.sum().backward()
    conv.weight.data -= 3e-2*conv.weight.grad
    if (i+1)%2==0: print(f'epoch {i+1}, loss {l.sum():.3f}')

print("kernel:", conv.weight.data.reshape(1, 2))
