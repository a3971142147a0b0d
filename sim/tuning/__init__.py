"""Gains for one robot, searched in the simulator that carries its calibration."""
