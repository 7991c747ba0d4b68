"""What of a result is public, and in which words: values in, values out."""
