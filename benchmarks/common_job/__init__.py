"""The job that peers were measured on: judge a million service times against published promises."""
