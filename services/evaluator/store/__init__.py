"""The evaluator's SQL, one module for each thing it keeps."""
