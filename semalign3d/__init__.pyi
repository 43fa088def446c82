from semalign3d.prior.prior import Prior as Prior
