
Private Function Values(ByRef argument As Variant) As Variant
    ' A range as its values: dates as serial numbers, currency as numbers; anything else as it is.
    If IsObject(argument) Then Values = argument.Value2 Else Values = argument
End Function

Private Function Whence(ParamArray given() As Variant) As String
    ' The book, the calling cell and the ranges given, a line each; blank where there is none.
    Dim i As Long, found As String, there As Object
    On Error Resume Next
    Set there = Application.Caller
    If there Is Nothing Then Exit Function
    found = there.Worksheet.Parent.Name & vbLf & PlaceOf(there.Cells(1, 1))
    For i = LBound(given) To UBound(given)
        found = found & vbLf
        If TypeName(given(i)) = "Range" Then found = found & PlaceOf(given(i))
    Next i
    Whence = found
End Function

Private Function PlaceOf(ByVal cells As Object) As String
    PlaceOf = "'" & Replace(cells.Worksheet.Name, "'", "''") & "'!" & cells.Address(False, False)
End Function

Private Function WithErrors(ByVal result As Variant) As Variant
    ' Error texts as error values: a single cell, a row, or rows and columns.
    Dim i As Long, j As Long
    Select Case Dimensions(result)
    Case 0
        result = ErrorValue(result)
    Case 1
        For i = LBound(result) To UBound(result)
            result(i) = ErrorValue(result(i))
        Next i
    Case 2
        For i = LBound(result, 1) To UBound(result, 1)
            For j = LBound(result, 2) To UBound(result, 2)
                result(i, j) = ErrorValue(result(i, j))
            Next j
        Next i
    End Select
    WithErrors = result
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

Private Function ErrorValue(ByVal cell As Variant) As Variant
    ErrorValue = cell
    If VarType(cell) <> vbString Then Exit Function
    Select Case cell
    Case "#N/A": ErrorValue = CVErr(xlErrNA)
    Case "#VALUE!": ErrorValue = CVErr(xlErrValue)
    Case "#NUM!": ErrorValue = CVErr(xlErrNum)
    Case "#DIV/0!": ErrorValue = CVErr(xlErrDiv0)
    Case "#REF!": ErrorValue = CVErr(xlErrRef)
    Case "#NAME?": ErrorValue = CVErr(xlErrName)
    Case "#NULL!": ErrorValue = CVErr(xlErrNull)
    End Select
End Function

Private Function CallFailed(ByVal name As String, ByVal message As String) As Variant
    ' Python did not start, or the call did not reach it: the Immediate window has the message.
    Debug.Print name & ": " & message
    CallFailed = CVErr(xlErrNA)
End Function
