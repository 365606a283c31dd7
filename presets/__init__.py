"""Chains and profiles that ship with Tonecast."""
