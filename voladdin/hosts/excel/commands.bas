
Public Sub VoladdinCommand(control As IRibbonControl)
    ' Every button of the ribbon: its tag is the name of a command, which runs on the active book.
    Dim answer As String
    On Error GoTo CommandFailed
    If ActiveWorkbook Is Nothing Then
        MsgBox "Open a workbook first.", vbInformation, PROJECT_NAME
        Exit Sub
    End If
    answer = Answered(control.Tag)
    If Len(answer) > 1 Then MsgBox Mid$(answer, 2, 1000), IIf(Left$(answer, 1) = "!", vbExclamation, vbInformation), PROJECT_NAME
    Exit Sub
CommandFailed:
    MsgBox "Python did not run the command: " & Err.Description, vbCritical, PROJECT_NAME
End Sub

Private Function Answered(ByVal command As String) As String
    ' What Python has to say of a command: "!" and an error, or "=" and a message, which may be empty.
    XLPy.SetAttr XLPy.Module("xlwings._xlwindows"), "BOOK_CALLER", ActiveWorkbook
    Answered = XLPy.Str(XLPy.Call(XLPy.Module("voladdin.hosts.excel.ribbon"), "answer", XLPy.Tuple(command)))
    XLPy.SetAttr XLPy.Module("xlwings._xlwindows"), "BOOK_CALLER", Nothing ' or the book could not close
End Function
