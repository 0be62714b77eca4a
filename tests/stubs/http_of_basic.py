"""One HTTP request, for Basic, by LibreOffice's own Python; an answer that fails or is late raises."""

import http.client
import re


def ask(method, url, names, values, body, milliseconds):
    host, path = re.fullmatch(r"http://([^/]+)(/.*)", url).groups()
    headers = {name: value for name, value in zip(names, values, strict=True) if name}
    connection = http.client.HTTPConnection(host, timeout=milliseconds / 1000)
    try:
        connection.request(method, path, body.encode(), headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


g_exportedScripts = (ask,)
