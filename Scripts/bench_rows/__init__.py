"""The columns and rows of Scripts/bench."""
