"""Movement of one body: gaps, smoothing, normalisation, resampling, angles and kinematics.

Import the modules themselves: each costs no more than numpy until a feature that needs scipy is used.
"""
