"""The HTML report of explanations: ``page`` is the frame, ``section`` one image, ``guide`` the explanatory text."""
