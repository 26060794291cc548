"""An Azure Resource Manager front of the embedded workspace, on loopback HTTPS.

The unmodified Azure SDK talks to it: data, environments, components, models and jobs that a script
makes through `MLClient` are those of `amlkit`, and its jobs run on this machine. It answers as the
SDK expects; it is no oracle of what Azure would answer.
"""
