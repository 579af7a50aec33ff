#!/usr/bin/env python3
"""Writes the goldens of the training library from PyTorch 2.6 on the processor.   export.py [--check] [GROUP...]
--check writes nothing and says what differs, exit code 1 if anything does. PyTorch's last bits depend on the processor's vector width."""
import sys

import torch

import checkpoints
import generator
import golden
import layers
import loader
import losses
import optimizers
import signatures
import trainings
import unet

GROUPS = {module.__name__: module.cases for module in (checkpoints, generator, layers, loader, losses, optimizers, signatures, trainings, unet)}

torch.set_num_threads(1)
arguments = sys.argv[1:]
check = "--check" in arguments
wanted = [a for a in arguments if a != "--check"] or list(GROUPS)
results = [golden.write(name, list(GROUPS[name]()), check) for name in wanted]
sys.exit(0 if all(results) else 1)
