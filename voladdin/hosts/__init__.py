"""Where the worksheet functions appear: Excel (`excel`) and LibreOffice Calc (`libreoffice`)."""
