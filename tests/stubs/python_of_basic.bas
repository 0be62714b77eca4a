Option VBASupport 1
Option ClassModule

Public Said As String
Public Broken As Boolean

Public Function Module(name)
    Module = name
End Function

Public Function Tuple(value)
    Tuple = value
End Function

Public Function Call_(module_, name, value)
    If Broken Then Err.Raise 5
    Said = Said & module_ & "." & name & "(" & value & ");"
    Call_ = "1" & Chr(9) & "1" & Chr(10) & "t" & name
    If name = "commanded" Then Call_ = "=" & value & " done"
End Function

Public Function Str(value)
    Str = value
End Function

Public Sub SetAttr(module_, name, value)
    Said = Said & module_ & "." & name & "="
    If value Is Nothing Then Said = Said & "Nothing;" Else Said = Said & value.Name & ";"
End Sub
