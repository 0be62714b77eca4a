Option VBASupport 1
Option ClassModule

Public Status As Long
Public responseText As String
Public readyState As Long
Private method_ As String
Private url_ As String
Private limit_ As Long
Private count_ As Long
Private names_(9) As String
Private values_(9) As String

Public Sub setTimeouts(resolve, connect, sends, receives)
    limit_ = receives
End Sub

Public Sub setProxy(kind)
End Sub

Public Sub Open_(method, url, later)
    method_ = method: url_ = url: count_ = 0: readyState = 1
    Erase names_
End Sub

Public Sub setRequestHeader(name, value)
    names_(count_) = name: values_(count_) = value
    count_ = count_ + 1
End Sub

Public Sub send(body)
    Dim provider, answer
    provider = createUnoService("com.sun.star.script.provider.MasterScriptProviderFactory").createScriptProvider("")
    answer = provider.getScript("vnd.sun.star.script:http_of_basic.py$ask?language=Python&location=user").invoke(Array(method_, url_, names_, values_, body, limit_), Array(), Array())
    Status = answer(0): responseText = answer(1): readyState = 4
End Sub
