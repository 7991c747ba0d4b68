"""Rules of judgement: which promise applies, how far facts are complete, what is said when."""
