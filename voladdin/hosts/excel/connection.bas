Private Const PROJECT_NAME As String = "voladdin"
Private Const SEPARATOR As String = "\"
Private Const CONNECT_MS As Long = 2000 ' of HTTP, to connect
Private Const PROOF_MS As Long = 1000 ' to prove that it knows the token
Private Const ANSWER_MS As Long = 10000 ' to answer a call
Private Const COMMAND_SECONDS As Double = 120 ' to do a button's command
Private Const START_SECONDS As Double = 2.5 ' the one wait for a server that starts
Private Const MOST_CELLS As Long = 40002
Private Const MOST_WAITING As Long = 10000
Private Const LONGEST_LOG As Long = 200000
Private Const PAGE_SECONDS As Long = 1 ' between looks at what pages have sent
Private Const LONGEST_HEADER As Long = 8000 ' characters of a call in a request's head

Private transport As String ' by which Python answers, "http" or "com"; blank where it does not
Private reason As String ' why it does not
Private configuration As String ' the text of voladdin.conf
Private seen As String ' of server.json, when the reason was found
Private port As Long
Private token As String
Private http As Object
Private python As Object
Private watched As String ' names of books with pages, a line each
Private waiting As Collection ' cells that show #N/A for want of Python

Private Function Ready() As Boolean
    ' Whether Python answers. Known at once but for the first call, and where a server has started since.
    Ready = (transport = "com")
    If Ready Then Exit Function
    If Len(transport) + Len(reason) = 0 Or StampOf(Home() & "server.json") <> seen Then Connect
    Ready = Len(transport) > 0
End Function

Private Sub Connect()
    ' HTTP to the local server, or xlwings' COM server where HTTP cannot be had.
    Dim wanted As String, possible As Boolean, first As String
    wanted = LCase$(Setting("TRANSPORT", "auto"))
    transport = "": reason = ""
    If wanted = "com" Then
        possible = True
    ElseIf Greeted(possible) Then
        transport = "http"
    End If
    If possible And wanted <> "http" Then
        first = reason
        If Activated() Then transport = "com" Else reason = first & IIf(Len(first) > 0, "; ", "") & reason
    End If
    seen = StampOf(Home() & "server.json")
    Tell
End Sub

Private Sub Tell()
    ' The status bar and the log say why there is no answer, or by what there is one.
    On Error Resume Next
    If Len(transport) > 0 Then
        reason = ""
        Application.StatusBar = False
        LogLine "answers by " & transport
    Else
        Application.StatusBar = PROJECT_NAME & ": " & reason & "; Reconnect on its tab asks again"
        LogLine reason
    End If
End Sub

Private Function Greeted(ByRef otherwise As Boolean) As Boolean
    ' The running server, or one that starts. otherwise: whether the other transport is worth a try.
    Dim since As Double
    On Error GoTo NoHttp
    since = Timer
    If http Is Nothing Then Set http = CreateObject("MSXML2.ServerXMLHTTP.6.0")
    On Error GoTo 0
    Greeted = Proven()
    If Greeted Then Exit Function
    If Not Started() Then otherwise = True: Exit Function
    Do While Elapsed(since) < START_SECONDS And Not Greeted
        Sleep 50
        If StampOf(Home() & "server.json") <> "" Then Greeted = Proven()
    Loop
    If Not Greeted Then reason = "the local server was asked to start, and does not answer yet"
    Exit Function
NoHttp:
    otherwise = True
    reason = "Windows' HTTP (MSXML 6) is not there: " & Err.Description
End Function

Private Function Proven() As Boolean
    ' The server of server.json, once it has proven that it knows the token; only then it is told the token.
    Dim state As String, proof As String
    state = TextOf(Home() & "server.json")
    port = Val(Field(state, "port"))
    proof = Field(state, "proof")
    reason = "the local server does not run"
    If port = 0 Or Len(proof) = 0 Then Exit Function
    On Error GoTo Silent
    token = ""
    If InStr(Asked("GET", "/v1/proof/" & Field(state, "challenge"), "", PROOF_MS), """" & proof & """") = 0 Then
        reason = "another program has the local server's port " & port
        Exit Function
    End If
    token = Replace(Replace(TextOf(Home() & "token"), vbLf, ""), vbCr, "")
    seen = StampOf(Home() & "server.json")
    Proven = Len(token) > 0
    If Not Proven Then reason = "the file " & Home() & "token cannot be read"
    Exit Function
Silent:
    reason = "the local server on port " & port & " does not answer: " & Err.Description
    Set http = CreateObject("MSXML2.ServerXMLHTTP.6.0") ' the old one may be in the middle of an answer
End Function

Private Function Asked(ByVal method As String, ByVal path As String, ByVal body As String, ByVal limit As Long) As String
    ' The body of an answer; an error where there is none in time, or another status than 200.
    http.setTimeouts 1000, CONNECT_MS, 5000, limit
    WithoutProxy http
    http.Open method, "http://127.0.0.1:" & port & path, False
    http.setRequestHeader "Content-Type", "text/plain; charset=utf-8"
    If Len(token) > 0 Then http.setRequestHeader "Authorization", "Bearer " & token
    If path = "/v1/cells" And IsPlain(body) Then
        http.setRequestHeader "Voladdin-Call", Replace(Replace(Replace(body, "%", "%25"), vbTab, "%09"), vbLf, "%0A")
        http.send ""
    Else
        http.send body
    End If
    Asked = http.responseText
    If http.Status <> 200 Then Err.Raise vbObjectError + 1000, PROJECT_NAME, "status " & http.Status & ": " & Left$(Asked, 300)
End Function

Private Sub WithoutProxy(ByVal sender As Object)
    ' A firm's proxy does not know this machine's own addresses; what cannot be told so has none.
    On Error Resume Next
    sender.setProxy 1
End Sub

Private Function IsPlain(ByVal body As String) As Boolean
    ' Whether a call can go in a request's head. A body is sent after the head, and may wait 40 ms for its acknowledgement.
    Dim i As Long, code As Long
    If Len(body) > LONGEST_HEADER Then Exit Function
    For i = 1 To Len(body)
        code = AscW(Mid$(body, i, 1))
        If code <> 9 And code <> 10 And (code < 32 Or code > 126) Then Exit Function
    Next i
    IsPlain = True
End Function

Private Function Started() As Boolean
    ' The server, by Windows' task scheduler, where `voladdin install excel` put it: no child process of Excel.
    Dim scheduler As Object
    On Error GoTo Refused
    Set scheduler = CreateObject("Schedule.Service")
    scheduler.Connect
    scheduler.GetFolder(SEPARATOR).GetTask(Setting("TASK", PROJECT_NAME)).Run ""
    Started = True
    Exit Function
Refused:
    reason = reason & ", and Windows' task " & Setting("TASK", PROJECT_NAME) & " cannot start it: " & Err.Description
End Function

Private Function Activated() As Boolean
    ' xlwings' COM server, in a Python that its library starts.
    On Error GoTo Refused
    Set python = Nothing
    If Len(StampOf(Setting("INTERPRETER_WIN", ""))) = 0 Then
        reason = "the interpreter " & Setting("INTERPRETER_WIN", "") & " of " & ConfigurationFile() & " is not there"
        Exit Function
    End If
    If LoadLibrary(FolderOf(Setting("INTERPRETER_WIN", "")) & LIBRARY) = 0 Then
        If LoadLibrary(FolderOf(Left$(FolderOf(Setting("INTERPRETER_WIN", "")), Len(FolderOf(Setting("INTERPRETER_WIN", ""))) - 1)) & LIBRARY) = 0 Then
            reason = LIBRARY & " is neither beside " & Setting("INTERPRETER_WIN", "") & " nor above it"
            Exit Function
        End If
    End If
    Set python = PythonServer()
    Activated = True
    Exit Function
Refused:
    reason = "Python did not start: " & Err.Description
End Function

Private Function PythonServer() As Object
    Dim found As Variant
    If XLPyDLLActivateAuto(found, PythonCommand(), 1) <> 0 Then Err.Raise vbObjectError + 1001, PROJECT_NAME, CStr(found)
    Set PythonServer = found
End Function

Private Function PythonCommand() As String
    ' The command line of the interpreter that `voladdin install excel` ran in; nothing of it is the book's.
    Dim path As String
    path = Replace(Replace(Setting("PYTHONPATH", ""), "\", "\\"), "'", "\'")
    PythonCommand = """" & Setting("INTERPRETER_WIN", "") & """ -B -c ""import sys;sys.path.insert(0,'" & path & "');" & PYTHON_SERVER & """"
End Function

Private Function AnsweredByCom(ByVal name As String, ByVal body As String) As String
    ' What a function of the add-in's Python module answers to a text.
    AnsweredByCom = python.Str(python.Call(python.Module(PYTHON_MODULE), name, python.Tuple(body)))
End Function

Private Function Answered(ByVal body As String) As String
    ' The answer to a call. Where the server is gone it is looked for, or started, once.
    Dim since As Double, late As Boolean, said As String
    since = Timer
    On Error GoTo Lost
    Answered = AnsweredOnce(body)
    Exit Function
Lost:
    reason = "no answer: " & Err.Description
    late = Elapsed(since) >= 0.8 * ANSWER_MS / 1000
    If late Then reason = "no answer within " & ANSWER_MS / 1000 & " s"
    Resume Again
Again:
    On Error GoTo 0
    said = reason
    transport = ""
    Connect
    If Len(transport) = 0 Or late Then Err.Raise vbObjectError + 1002, PROJECT_NAME, said
    Answered = AnsweredOnce(body)
End Function

Private Function AnsweredOnce(ByVal body As String) As String
    If transport = "com" Then
        AnsweredOnce = AnsweredByCom("answered", body)
    Else
        AnsweredOnce = Asked("POST", "/v1/cells", body, ANSWER_MS)
    End If
End Function

Private Sub Reconnect()
    ' Reads the configuration again, looks for Python again, and calculates the cells that had no answer.
    Dim cell As Variant
    transport = "": reason = "": configuration = "": seen = ""
    Set http = Nothing
    Set python = Nothing
    Connect
    If Len(transport) = 0 Or waiting Is Nothing Then Exit Sub
    On Error Resume Next ' a book may be closed
    For Each cell In waiting
        Application.Range(cell).Dirty
    Next cell
    Set waiting = Nothing
    Application.Calculate
End Sub

Private Function Unanswered(ByVal name As String) As Variant
    ' What a cell shows without Python: #N/A, or the reason in VOLINFO.
    Dim found(1 To 2, 1 To 2) As Variant
    On Error Resume Next
    If waiting Is Nothing Then Set waiting = New Collection
    If waiting.Count < MOST_WAITING Then waiting.Add Application.Caller.Address(External:=True)
    Unanswered = CVErr(xlErrNA)
    If name <> "VOLINFO" Then Exit Function
    found(1, 1) = "error": found(1, 2) = reason
    found(2, 1) = "mend": found(2, 2) = "the button Reconnect asks again; `voladdin doctor` looks further"
    Unanswered = found
End Function

Private Function Setting(ByVal name As String, ByVal otherwise As String) As String
    ' An entry of voladdin.conf, whose lines are "NAME","value".
    Dim start As Long
    If Len(configuration) = 0 Then configuration = vbLf & TextOf(ConfigurationFile())
    Setting = otherwise
    start = InStr(configuration, vbLf & """" & name & """,""")
    If start = 0 Then Exit Function
    start = start + Len(name) + 5
    Setting = Mid$(configuration, start, InStr(start, configuration, """" & vbLf) - start)
End Function

Private Function ConfigurationFile() As String
    ' The user's own: neither a sheet of a book nor a file beside it names the program that is started.
    ConfigurationFile = Environ("USERPROFILE") & SEPARATOR & "." & PROJECT_NAME & SEPARATOR & PROJECT_NAME & ".conf"
End Function

Private Function Home() As String
    ' The folder of server.json and token.
    Home = Setting("HOME", FolderOf(ConfigurationFile()))
    If Right$(Home, 1) <> SEPARATOR Then Home = Home & SEPARATOR
End Function

Private Function FolderOf(ByVal path As String) As String
    FolderOf = Left$(path, InStrRev(path, SEPARATOR))
End Function

Private Function Field(ByVal text As String, ByVal name As String) As String
    ' A number or plain text of a JSON object.
    Dim start As Long
    start = InStr(text, """" & name & """:")
    If start = 0 Then Exit Function
    Field = Split(Split(Mid$(text, start + Len(name) + 3), ",")(0), "}")(0)
    Field = Trim$(Replace(Field, """", ""))
End Function

Private Function TextOf(ByVal path As String) As String
    ' The lines of a small file; blank where it cannot be read.
    Dim file As Integer, found As String
    On Error GoTo Absent
    file = FreeFile
    Open path For Input As #file
    Do While Not EOF(file)
        Line Input #file, found
        TextOf = TextOf & found & vbLf
    Loop
    Close #file
Absent:
End Function

Private Function StampOf(ByVal path As String) As String
    ' What changes with a file; blank where it is absent.
    On Error Resume Next
    StampOf = CStr(FileDateTime(path)) & " " & CStr(FileLen(path))
End Function

Private Sub LogLine(ByVal what As String)
    ' A line of excel.log; when it is long, it begins anew.
    Dim file As Integer, length As Long, path As String
    On Error Resume Next
    path = Home() & "excel.log"
    length = FileLen(path)
    file = FreeFile
    If length > LONGEST_LOG Then
        Open path For Output As #file
    Else
        Open path For Append As #file
    End If
    Print #file, Format$(Now, "yyyy-mm-dd hh:mm:ss") & " " & what
    Close #file
End Sub

Private Function Elapsed(ByVal since As Double) As Double
    Elapsed = Timer - since
    If Elapsed < 0 Then Elapsed = Elapsed + 86400
End Function
