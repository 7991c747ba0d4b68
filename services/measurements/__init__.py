"""What happened: takes in timing events, drops repeats, puts late and corrected ones in place.

Reads `service-events.v1` (and HTTP, and files, which both end there); publishes `measurements.v1`:
the whole case at a new revision for each event, and how far each source is known complete. It
knows no thresholds and no promises.
"""
