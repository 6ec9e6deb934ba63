"""What is in files of OTLP: `otlp-fast inspect` without its options.

Each request is decoded into columns, counted, and forgotten: memory is bounded by the largest request and by how many
names are kept, whatever the length of the files.
"""
