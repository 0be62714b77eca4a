"""What is installed: voladdin, with the folder `server` as its part; pyproject.toml has the rest."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["voladdin", "voladdin.*"]), "voladdin.server"],
    package_dir={"voladdin.server": "server"},
    package_data={"voladdin.server": ["page/*"]},
)
