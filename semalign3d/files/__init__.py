"""Files in and out: HDF5 that is whole or absent, records, digests, images, arrays, tables."""
