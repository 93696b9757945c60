"""Images and labels: embedded, CIFAR-10, or any folder, split without leaks."""
