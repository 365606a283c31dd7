"""Other people's formats: what a profile becomes for programs that know nothing of Tonecast."""
