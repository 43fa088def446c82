"""AP-10K, as published and in the layout of its benchmark (METHOD.md 1.2)."""
