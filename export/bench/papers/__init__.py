"""`voladdin bench papers`: every table and figure of the papers voladdin builds on, measured again.

Mama (2022), Gopal (2024) and Wang, Liu and Vuik (2025), and the evaluation chapter of a textbook on VAEs.
"""
