"""Networks: each loads once and maps images or features to arrays."""
