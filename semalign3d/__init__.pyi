from semalign3d.prior import Prior as Prior
