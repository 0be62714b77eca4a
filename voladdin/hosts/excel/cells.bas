
Private Function Called(ByVal name As String, ByVal given As Variant) As Variant
    ' The value of a worksheet function; an error value where there is none.
    Dim body As String, early As Boolean
    On Error GoTo Failed
    Called = CVErr(xlErrNA)
    If InDialog() Then Exit Function
    If Not Ready() Then
        Called = Unanswered(name)
        Exit Function
    End If
    body = CallText(name, given, early)
    If Not early Then Called = CellsOf(Answered(body))
    Exit Function
Failed:
    If Len(reason) = 0 Then reason = Err.Description
    LogLine name & ": " & Err.Description
    Called = Unanswered(name)
End Function

Private Function InDialog() As Boolean
    ' The function wizard, or another dialog, is open: each key there would call.
    InDialog = Not Application.CommandBars("Standard").Controls(1).Enabled
End Function

Private Function CallText(ByVal name As String, ByVal given As Variant, ByRef early As Boolean) As String
    ' A call as lines. early: a cell given is not calculated yet; Excel calls again when it is.
    Dim i As Long, where As String, text As String, cells As Object, why As String
    where = Whence()
    For i = LBound(given) To UBound(given)
        where = where & vbTab
        If IsObject(given(i)) Then
            why = WhyNot(given(i))
            If Len(why) > 0 Then
                text = text & vbLf & "x" & vbTab & Escaped(why)
            Else
                Set cells = Used(given(i))
                where = where & Escaped(PlaceOf(cells))
                text = text & vbLf & BlockOf(ValuesOf(cells, early))
                If early Then Exit Function
            End If
        Else
            text = text & vbLf & BlockOf(given(i))
        End If
    Next i
    CallText = name & vbLf & where & text
End Function

Private Function Whence() As String
    ' The book and the calling cell; blank where there is none.
    Dim there As Object
    Whence = vbTab
    On Error GoTo Unknown
    Set there = Application.Caller
    Whence = Escaped(there.Worksheet.Parent.Name) & vbTab & Escaped(PlaceOf(there.Cells(1, 1)))
Unknown:
End Function

Private Function PlaceOf(ByVal cells As Object) As String
    PlaceOf = "'" & Replace(cells.Worksheet.Name, "'", "''") & "'!" & cells.Address(False, False)
End Function

Private Function WhyNot(ByVal cells As Object) As String
    ' Why a range is not read; blank where it is.
    Dim found As Object
    If TypeName(cells) <> "Range" Then
        WhyNot = "it is a " & TypeName(cells) & "; expected a range or a value"
    ElseIf cells.Areas.Count > 1 Then
        WhyNot = "it is " & cells.Areas.Count & " areas, " & cells.Address(False, False) & "; expected one"
    Else
        Set found = Used(cells)
        If CDbl(found.Rows.Count) * found.Columns.Count > MOST_CELLS Then WhyNot = found.Address(False, False) & " has " & found.Rows.Count & " x " & found.Columns.Count & " cells; expected at most " & MOST_CELLS
    End If
End Function

Private Function Used(ByVal cells As Object) As Object
    ' The range down and wide to the last used cell of its sheet: A:F has a million rows.
    Dim whole As Object, deep As Long, wide As Long
    Set Used = cells
    If cells.Rows.Count < 1000 And cells.Columns.Count < 1000 Then Exit Function
    Set whole = cells.Worksheet.UsedRange
    deep = Least(cells.Rows.Count, whole.Row + whole.Rows.Count - cells.Row)
    wide = Least(cells.Columns.Count, whole.Column + whole.Columns.Count - cells.Column)
    Set Used = cells.Worksheet.Range(cells.Cells(1, 1), cells.Cells(deep, wide))
End Function

Private Function Least(ByVal one As Long, ByVal other As Long) As Long
    Least = one
    If other < one Then Least = other
    If Least < 1 Then Least = 1
End Function

Private Function ValuesOf(ByVal cells As Object, ByRef early As Boolean) As Variant
    ' Dates as serial numbers, currency as numbers; of a 1904 book dates as dates, whose numbers are others'.
    Dim value As Variant, formulas As Variant, i As Long, j As Long
    If cells.Worksheet.Parent.Date1904 Then value = cells.Value Else value = cells.Value2
    ValuesOf = value
    formulas = cells.HasFormula
    If IsNull(formulas) Then formulas = True
    If Not formulas Then Exit Function
    If Not IsArray(value) Then
        early = IsEmpty(value)
        Exit Function
    End If
    For i = 1 To UBound(value, 1)
        For j = 1 To UBound(value, 2)
            If IsEmpty(value(i, j)) Then
                early = cells.Cells(i, j).HasFormula
                If early Then Exit Function
            End If
        Next j
    Next i
End Function

Private Function BlockOf(Optional ByVal value As Variant) As String
    ' A value, a row, or rows and columns as lines; an omitted argument.
    Dim i As Long, j As Long, lines() As String, fields() As String, top As Long, first As Long
    BlockOf = "0" & vbTab & "0"
    If IsMissing(value) Then Exit Function
    Select Case Dimensions(value)
    Case 0
        BlockOf = "1" & vbTab & "1" & vbLf & CellText(value)
    Case 1
        first = LBound(value)
        ReDim fields(0 To UBound(value) - first)
        For j = 0 To UBound(fields)
            fields(j) = CellText(value(first + j))
        Next j
        BlockOf = "1" & vbTab & (UBound(fields) + 1) & vbLf & Join(fields, vbTab)
    Case 2
        top = LBound(value, 1): first = LBound(value, 2)
        ReDim lines(0 To UBound(value, 1) - top)
        ReDim fields(0 To UBound(value, 2) - first)
        For i = 0 To UBound(lines)
            For j = 0 To UBound(fields)
                fields(j) = CellText(value(top + i, first + j))
            Next j
            lines(i) = Join(fields, vbTab)
        Next i
        BlockOf = (UBound(lines) + 1) & vbTab & (UBound(fields) + 1) & vbLf & Join(lines, vbLf)
    End Select
End Function

Private Function Dimensions(ByRef value As Variant) As Long
    Dim last As Long
    Dimensions = 0
    If Not IsArray(value) Then Exit Function
    Dimensions = 1
    On Error Resume Next
    last = UBound(value, 2)
    If Err.Number = 0 Then Dimensions = 2
End Function

Private Function NumberOf(ByRef value As Variant) As Long
    ' Of an error value; its text ends with it in any language.
    NumberOf = Val(Right$(CStr(value), 4))
End Function

Private Function CellText(ByRef cell As Variant) As String
    ' A letter and the value; nothing for a blank cell.
    Select Case VarType(cell)
    Case vbEmpty, vbNull
    Case vbString
        If Len(cell) > 0 Then CellText = "t" & Escaped(cell)
    Case vbBoolean
        If cell Then CellText = "b1" Else CellText = "b0"
    Case vbDate
        CellText = "d" & Digits(CDbl(cell))
    Case vbError
        CellText = "e" & ErrorText(NumberOf(cell))
    Case Else
        CellText = "n" & Digits(CDbl(cell))
    End Select
End Function

Private Function Digits(ByVal number As Double) As String
    ' At most 15 digits, which is all that VBA writes, and what they lack; with a point in any locale.
    Dim part As String, i As Long
    For i = 1 To 3
        part = Trim$(Str$(number))
        Digits = Digits & IIf(i > 1, " ", "") & part
        If Abs(number) > 1E+300 Then Exit Function
        number = number - Val(part)
        If Abs(number) < 1E-300 Then Exit Function
    Next i
End Function

Private Function Escaped(ByVal text As String) As String
    Escaped = Replace(Replace(Replace(Replace(text, "\", "\b"), vbTab, "\t"), vbLf, "\n"), vbCr, "\r")
End Function

Private Function Plain(ByVal text As String) As String
    Plain = text
    If InStr(text, "\") > 0 Then Plain = Replace(Replace(Replace(Replace(text, "\r", vbCr), "\n", vbLf), "\t", vbTab), "\b", "\")
End Function

Private Function CellsOf(ByVal text As String) As Variant
    ' The cells of an answer: a value, or rows and columns.
    Dim lines() As String, fields() As String, found() As Variant, i As Long, j As Long
    lines = Split(text, vbLf)
    fields = Split(lines(0), vbTab)
    ReDim found(1 To Val(fields(0)), 1 To Val(fields(1)))
    For i = 1 To UBound(found, 1)
        fields = Split(lines(i) & vbTab, vbTab)
        For j = 1 To UBound(found, 2)
            found(i, j) = CellOf(fields(j - 1))
        Next j
    Next i
    If UBound(found, 1) = 1 And UBound(found, 2) = 1 Then CellsOf = found(1, 1) Else CellsOf = found
End Function

Private Function CellOf(ByVal text As String) As Variant
    ' Blank is "", since Excel shows Empty as 0.
    Dim value As String, parts() As String
    value = Mid$(text, 2)
    CellOf = ""
    Select Case Left$(text, 1)
    Case "n", "d"
        parts = Split(value & " 0", " ")
        CellOf = Val(parts(0)) + Val(parts(1))
        If Left$(text, 1) = "d" Then CellOf = CDate(CellOf)
    Case "b"
        CellOf = (value = "1")
    Case "e"
        CellOf = ErrorValue(value)
    Case "t"
        CellOf = Plain(value)
    End Select
End Function

Private Function ErrorText(ByVal number As Long) As String
    ErrorText = "#VALUE!"
    Select Case number
    Case xlErrNA: ErrorText = "#N/A"
    Case xlErrNum: ErrorText = "#NUM!"
    Case xlErrDiv0: ErrorText = "#DIV/0!"
    Case xlErrRef: ErrorText = "#REF!"
    Case xlErrName: ErrorText = "#NAME?"
    Case xlErrNull: ErrorText = "#NULL!"
    End Select
End Function

Private Function ErrorValue(ByVal text As String) As Variant
    ErrorValue = CVErr(xlErrValue)
    Select Case text
    Case "#N/A": ErrorValue = CVErr(xlErrNA)
    Case "#NUM!": ErrorValue = CVErr(xlErrNum)
    Case "#DIV/0!": ErrorValue = CVErr(xlErrDiv0)
    Case "#REF!": ErrorValue = CVErr(xlErrRef)
    Case "#NAME?": ErrorValue = CVErr(xlErrName)
    Case "#NULL!": ErrorValue = CVErr(xlErrNull)
    End Select
End Function
