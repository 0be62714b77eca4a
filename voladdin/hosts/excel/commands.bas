
Public Sub VoladdinCommand(control As IRibbonControl)
    ' Every button of the ribbon and the menu: its tag is the name of a command, for the active book.
    Dim answer As String
    On Error GoTo CommandFailed
    If control.Tag = "reconnect" Then
        Reconnect
        answer = IIf(Len(transport) > 0, "=Python answers by " & transport, "!" & reason)
    ElseIf ActiveWorkbook Is Nothing Then
        answer = "!Open a workbook first."
    ElseIf Not Ready() Then
        answer = "!" & reason & ". Reconnect asks again."
    Else
        answer = DoneWithAnswers(control.Tag)
        If control.Tag = "plot" And Left$(answer, 1) = "=" And transport = "http" Then Watch ActiveWorkbook.Name
    End If
    If Len(answer) > 1 Then MsgBox Mid$(answer, 2, 1000), IIf(Left$(answer, 1) = "!", vbExclamation, vbInformation), PROJECT_NAME
    Exit Sub
CommandFailed:
    MsgBox "Python did not run the command: " & Err.Description, vbCritical, PROJECT_NAME
End Sub

Private Function DoneWithAnswers(ByVal command As String) As String
    ' A command that asks runs again with each answer behind it, until it has all; "" where the user gives up.
    Dim answer As String
    Do
        DoneWithAnswers = DoneQuietly(command)
        If Left$(DoneWithAnswers, 1) <> "?" Then Exit Function
        answer = Replied(Split(Mid$(DoneWithAnswers, 2), vbLf, 3))
        If answer = vbNullChar Then DoneWithAnswers = "": Exit Function
        command = command & vbTab & answer
    Loop
End Function

Private Function Replied(ByVal question As Variant) As String
    ' To the kind of answer, its default and the words; a range by mouse. Chr(0) where the user gives up.
    Dim chosen As Range, typed As Variant
    Replied = vbNullChar
    If question(0) = "range" Then
        On Error Resume Next ' False, which is no range
        Set chosen = Application.InputBox(question(2), PROJECT_NAME, question(1), Type:=8)
        On Error GoTo 0
        If Not chosen Is Nothing Then Replied = chosen.Address(External:=True)
    Else
        typed = Application.InputBox(question(2), PROJECT_NAME, question(1), Type:=2)
        If VarType(typed) <> vbBoolean Then Replied = Replace(Replace(typed, vbTab, " "), vbLf, " ")
    End If
End Function

Private Sub Watch(ByVal book As String)
    ' From now on what a page sends to the book is looked for, until its last page is closed.
    If InStr(vbLf & watched & vbLf, vbLf & book & vbLf) > 0 Then Exit Sub
    watched = watched & IIf(Len(watched) > 0, vbLf, "") & book
    If InStr(watched, vbLf) = 0 Then Application.OnTime Now + TimeSerial(0, 0, PAGE_SECONDS), "'" & ThisWorkbook.Name & "'!VoladdinArrivals"
End Sub

Public Sub VoladdinArrivals()
    ' Excel calls it by the clock while a book is watched, and not while a cell is edited.
    Dim books() As String, i As Long, left_ As String
    books = Split(watched, vbLf)
    For i = 0 To UBound(books)
        If StillOpen(books(i)) Then left_ = left_ & IIf(Len(left_) > 0, vbLf, "") & books(i)
    Next i
    watched = left_
    If Len(watched) > 0 Then Application.OnTime Now + TimeSerial(0, 0, PAGE_SECONDS), "'" & ThisWorkbook.Name & "'!VoladdinArrivals"
End Sub

Private Function StillOpen(ByVal book As String) As Boolean
    ' Whether a page of the book is; what it sent is written once the book is the active one, and the page is told.
    Dim state As String
    On Error GoTo Unheard ' the book is closed, or the server has ended
    If Not ActiveWorkbook Is Workbooks(book) Then StillOpen = True: Exit Function
    state = Field(Asked("POST", "/v1/pages/waiting", book, ANSWER_MS), "state")
    StillOpen = (state <> "closed")
    If state = "sent" Then Asked "POST", "/v1/pages/arrived", book & vbLf & DoneQuietly("receive"), ANSWER_MS
Unheard:
End Function

Private Function DoneQuietly(ByVal command As String) As String
    ' Excel neither draws, nor calculates, nor tells of events meanwhile; as before after it, whatever happens.
    Dim drawing As Boolean, events As Boolean, calculating As Long, number As Long, why As String
    drawing = Application.ScreenUpdating: events = Application.EnableEvents: calculating = Application.Calculation
    On Error GoTo Restored
    Application.ScreenUpdating = False: Application.EnableEvents = False: Application.Calculation = xlCalculationManual
    DoneQuietly = Done(command)
Restored:
    number = Err.Number: why = Err.Description
    On Error Resume Next ' the others still
    Application.Calculation = calculating
    Application.EnableEvents = events
    Application.ScreenUpdating = drawing
    On Error GoTo 0
    If number <> 0 Then Err.Raise number, PROJECT_NAME, why
End Function

Public Sub VoladdinNotes(ByVal sheet As Object, ByVal places As String, ByVal texts As String)
    ' Notes of a command, one a line: each is a call of its own, and from here none leaves Excel.
    Dim at() As String, said() As String, i As Long
    at = Split(places, vbLf): said = Split(texts, vbLf)
    For i = 0 To UBound(at)
        sheet.Range(at(i)).ClearComments
        sheet.Range(at(i)).AddComment Plain(said(i))
    Next i
End Sub

Public Function VoladdinSeen(ByVal cells As Object, ByVal what As String) As String
    ' The fill, font, format or note of each cell, row by row, a line each.
    Dim cell As Object, said() As String, i As Long
    ReDim said(1 To cells.Count)
    For Each cell In cells
        i = i + 1
        said(i) = LookOf(cell, what)
    Next cell
    VoladdinSeen = Join(said, vbLf)
End Function

Private Function LookOf(ByVal cell As Object, ByVal what As String) As String
    ' Blank of a cell without a fill or a note.
    Select Case what
    Case "fill"
        If cell.Interior.ColorIndex <> xlColorIndexNone Then LookOf = cell.Interior.Color
    Case "font"
        LookOf = cell.Font.Color & ""
    Case "format"
        LookOf = Escaped(cell.NumberFormat)
    Case "note"
        If Not cell.Comment Is Nothing Then LookOf = Escaped(cell.Comment.Text)
    End Select
End Function

Private Function Done(ByVal command As String) As String
    ' What Python has to say of a command: "!" and an error, or "=" and a message, which may be empty.
    If transport = "com" Then
        python.SetAttr python.Module("xlwings._xlwindows"), "BOOK_CALLER", ActiveWorkbook
        Done = AnsweredByCom("commanded", command)
        python.SetAttr python.Module("xlwings._xlwindows"), "BOOK_CALLER", Nothing ' or the book could not close
    Else
        Done = DoneByServer(command & vbLf & Application.Hwnd & vbLf & ActiveWorkbook.FullName)
    End If
End Function

Private Function DoneByServer(ByVal body As String) As String
    ' The server works on the open book, so Excel has to answer it meanwhile.
    Dim caller As Object, since As Double
    Set caller = CreateObject("MSXML2.ServerXMLHTTP.6.0")
    since = Timer
    caller.setTimeouts 1000, CONNECT_MS, 5000, CLng(COMMAND_SECONDS * 1000)
    WithoutProxy caller
    caller.Open "POST", "http://127.0.0.1:" & port & "/v1/excel", True
    caller.setRequestHeader "Content-Type", "text/plain; charset=utf-8"
    caller.setRequestHeader "Authorization", "Bearer " & token
    caller.send body
    Do While caller.readyState <> 4
        DoEvents
        Sleep 5
        If Elapsed(since) > COMMAND_SECONDS Then Err.Raise vbObjectError + 1003, PROJECT_NAME, "no answer within " & COMMAND_SECONDS & " s"
    Loop
    If caller.Status <> 200 Then Err.Raise vbObjectError + 1000, PROJECT_NAME, "status " & caller.Status & ": " & Left$(caller.responseText, 300)
    DoneByServer = caller.responseText
End Function
